-- pre-data/lock
LOCK TABLE "public"."with_serial" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."with_default" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."with_always" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."empty" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."emptied" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."with_a_shared_one" IN ACCESS EXCLUSIVE MODE;
-- data/table/with_serial
COPY "public"."with_serial" ("id", "a") FROM STDIN WITH (FORMAT binary);
-- data/table/with_default
COPY "public"."with_default" ("id", "a") FROM STDIN WITH (FORMAT binary);
-- data/table/with_always
COPY "public"."with_always" ("id", "a") FROM STDIN WITH (FORMAT binary);
-- data/table/with_a_shared_one
COPY "public"."with_a_shared_one" ("id", "a") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/sequence/emptied_id_seq
ALTER SEQUENCE "public"."emptied_id_seq" RESTART WITH 45;
-- post-data/sequence/numbers
ALTER SEQUENCE "public"."numbers" RESTART WITH 13;
-- post-data/sequence/with_always_id_seq
ALTER SEQUENCE "public"."with_always_id_seq" RESTART WITH 91;
-- post-data/sequence/with_serial_id_seq
ALTER SEQUENCE "public"."with_serial_id_seq" RESTART WITH 18;
-- post-data/analyze/with_serial
ANALYZE "public"."with_serial";
-- post-data/analyze/with_default
ANALYZE "public"."with_default";
-- post-data/analyze/with_always
ANALYZE "public"."with_always";
-- post-data/analyze/with_a_shared_one
ANALYZE "public"."with_a_shared_one";
-- publish
