CREATE TABLE IF NOT EXISTS "sheaf_ledger" ("hash" TEXT NOT NULL, "name" TEXT, "kind" TEXT, "ducc_id" INTEGER, "loaded" INTEGER, PRIMARY KEY("hash")) STRICT, WITHOUT ROWID;
DELETE FROM "sheaf_schema" WHERE "name" LIKE 'table %';
