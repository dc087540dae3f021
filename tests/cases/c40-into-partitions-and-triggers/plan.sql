-- pre-data/lock
LOCK TABLE "public"."owner" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."event" IN ACCESS EXCLUSIVE MODE;
-- pre-data/drop-foreign-key/event.event_owner_id_fkey
ALTER TABLE "public"."event" DROP CONSTRAINT "event_owner_id_fkey";
-- pre-data/disable-trigger/owner.noted
ALTER TABLE ONLY "public"."owner" DISABLE TRIGGER "noted";
-- pre-data/disable-trigger/event.noted
ALTER TABLE ONLY "public"."event" DISABLE TRIGGER "noted";
-- pre-data/disable-trigger/event_2023.noted
ALTER TABLE ONLY "public"."event_2023" DISABLE TRIGGER "noted";
-- pre-data/disable-trigger/event_later.noted
ALTER TABLE ONLY "public"."event_later" DISABLE TRIGGER "noted";
-- data/table/owner
COPY "public"."owner" ("id") FROM STDIN WITH (FORMAT binary);
-- data/table/event
COPY "public"."event" ("id", "at", "owner_id") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/enable-trigger/event_later.noted
ALTER TABLE ONLY "public"."event_later" ENABLE TRIGGER "noted";
-- post-data/enable-trigger/event_2023.noted
ALTER TABLE ONLY "public"."event_2023" ENABLE ALWAYS TRIGGER "noted";
-- post-data/enable-trigger/event.noted
ALTER TABLE ONLY "public"."event" ENABLE TRIGGER "noted";
-- post-data/enable-trigger/owner.noted
ALTER TABLE ONLY "public"."owner" ENABLE TRIGGER "noted";
-- post-data/foreign-key/event.event_owner_id_fkey
ALTER TABLE "public"."event" ADD CONSTRAINT "event_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES public.owner(id);
-- post-data/analyze/owner
ANALYZE "public"."owner";
-- post-data/analyze/event
ANALYZE "public"."event";
-- publish
