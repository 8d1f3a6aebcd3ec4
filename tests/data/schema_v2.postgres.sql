CREATE TABLE IF NOT EXISTS "sheaf_ledger" ("hash" text NOT NULL, "name" text, "kind" text, "ducc_id" bigint, "loaded" bigint, PRIMARY KEY("hash"));
DELETE FROM "sheaf_schema" WHERE "name" LIKE 'table %';
