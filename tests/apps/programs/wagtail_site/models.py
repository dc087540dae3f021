"""What a site of Wagtail's users holds: pages of their own making, snippets, forms, settings of the site."""

# mypy: disallow_subclassing_any = False
# (the bases are those of the site's Wagtail, which is not here)
from __future__ import annotations

import uuid

from django.db import models
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail import blocks
from wagtail.admin.panels import FieldPanel, InlinePanel
from wagtail.contrib.forms.models import AbstractForm, AbstractFormField
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.contrib.table_block.blocks import TableBlock
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.images.blocks import ImageChooserBlock
from wagtail.models import DraftStateMixin, LockableMixin, Orderable, Page, RevisionMixin, TranslatableMixin
from wagtail.search import index
from wagtail.snippets.models import register_snippet


@register_snippet
class Topic(TranslatableMixin, DraftStateMixin, LockableMixin, RevisionMixin, index.Indexed, models.Model):
    """A snippet that has drafts and translations."""

    name = models.CharField(max_length=80)
    colours = models.JSONField(default=dict, blank=True)
    panels = (FieldPanel("name"), FieldPanel("colours"))
    search_fields = (index.SearchField("name"), index.AutocompleteField("name"))

    class Meta(TranslatableMixin.Meta):
        pass


class ArticleTag(TaggedItemBase):
    content_object = ParentalKey("content.Article", related_name="tagged_items", on_delete=models.CASCADE)


class Article(Page):
    """A page with a column of each sort."""

    happened = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    takes = models.DurationField(null=True, blank=True)
    price = models.DecimalField(max_digits=9, decimal_places=3, null=True, blank=True)
    weight = models.FloatField(null=True, blank=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    origin = models.GenericIPAddressField(null=True, blank=True)
    stars = models.PositiveSmallIntegerField(default=0)
    digest = models.BinaryField(null=True)
    extra = models.JSONField(null=True, blank=True)
    intro = RichTextField(blank=True)
    picture = models.ForeignKey("wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.PROTECT)
    tags = ClusterTaggableManager(through=ArticleTag, blank=True)
    body = StreamField(
        [
            ("heading", blocks.CharBlock()),
            ("text", blocks.RichTextBlock()),
            ("image", ImageChooserBlock()),
            ("file", DocumentChooserBlock()),
            ("table", TableBlock()),
            ("page", blocks.PageChooserBlock()),
            ("figures", blocks.ListBlock(blocks.StructBlock([("n", blocks.FloatBlock()), ("d", blocks.DateBlock())]))),
        ],
        blank=True,
    )
    exclude_fields_in_copy = ["key"]  # noqa: RUF012 - Wagtail wants a list
    search_fields = (*Page.search_fields, index.SearchField("intro"), index.SearchField("body"))
    content_panels = (
        *Page.content_panels,
        *(FieldPanel(name) for name in ("happened", "price", "stars", "intro", "body", "tags", "picture", "topic")),
        InlinePanel("links"),
    )


class Link(Orderable):
    article = ParentalKey(Article, related_name="links", on_delete=models.CASCADE)
    title = models.CharField(max_length=50)
    address = models.URLField()
    panels = (FieldPanel("title"), FieldPanel("address"))


class Question(AbstractFormField):
    page = ParentalKey("content.Survey", related_name="form_fields", on_delete=models.CASCADE)


class Survey(AbstractForm):
    """A page that asks its visitors."""

    content_panels = (*AbstractForm.content_panels, InlinePanel("form_fields"))


@register_setting
class House(BaseSiteSetting):
    opening_hours = models.TextField(blank=True)
