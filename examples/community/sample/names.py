"""Names of places and people, made of syllables."""

FIRST = ("ka", "mi", "sa", "ti", "bu", "lu", "ha", "pa", "da", "ro", "na", "su", "ba", "li", "gu")
MIDDLE = ("lu", "ra", "bi", "ngo", "wa", "yo", "si", "mu", "ta", "la", "ñi", "de")
LAST = ("ngan", "lao", "non", "yan", "big", "dan", "wit", "tok", "ras", "han", "lig", "mar")
KINDS = ("", "", "", "New ", "Old ", "Upper ", "Lower ", "San ", "Port ")
GIVEN = ("Amira", "Bashir", "Celia", "Dato", "Elías", "Fatimah", "Günay", "Hasan", "Inés", "Jamal", "Karim", "Leïla")
FAMILY = ("Abarang", "Bulawit", "Cabunglao", "Dimakuta", "Esmayan", "Guiñalan", "Hadjilao", "Ibrahimon", "Lumabig")
# fmt: off
WORDS = (
    "water", "school", "road", "harvest", "bridge", "market", "clinic", "teacher", "boat", "well", "seed", "forest",
    "river", "cooperative", "council", "land", "health", "training", "survey", "women", "youth", "elders", "repair",
    "building", "plan", "budget", "report", "visit",
)
# fmt: on


def make_place_name(rng):
    """A name for a place: ``Upper Karangan``."""
    middle = "".join(rng.choice(MIDDLE) for _ in range(rng.randint(0, 2)))
    return rng.choice(KINDS) + (rng.choice(FIRST) + middle + rng.choice(LAST)).title()


def make_distinct_places(rng, count):
    """``count`` names, no two alike."""
    found = {}
    while len(found) < count:
        found[make_place_name(rng)] = None
    return list(found)


def make_person(rng):
    """A given name and a family name."""
    return rng.choice(GIVEN), rng.choice(FAMILY)


def make_sentence(rng, words=8):
    """A line of words."""
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."
