-- Both forms of the small sigma count as the same letter from now on. A key that exists already stays as it is.
UPDATE "accounts" SET "username_key" = replace("username_key", 'ς', 'σ') WHERE "username_key" LIKE '%ς%'
  AND NOT EXISTS (SELECT FROM "accounts" "other" WHERE "other"."username_key" = replace("accounts"."username_key", 'ς', 'σ'));--> statement-breakpoint
UPDATE "accounts" SET "email_key" = replace("email_key", 'ς', 'σ') WHERE "email_key" LIKE '%ς%'
  AND NOT EXISTS (SELECT FROM "accounts" "other" WHERE "other"."email_key" = replace("accounts"."email_key", 'ς', 'σ'));--> statement-breakpoint
-- Texts are stored in NFC from now on, so that a name that was written on macOS is found.
UPDATE "machines" SET "name" = normalize("name", NFC), "location" = normalize("location", NFC)
  WHERE "name" IS NOT NFC NORMALIZED OR "location" IS NOT NFC NORMALIZED;--> statement-breakpoint
UPDATE "accounts" SET "first_name" = normalize("first_name", NFC), "last_name" = normalize("last_name", NFC)
  WHERE "first_name" IS NOT NFC NORMALIZED OR "last_name" IS NOT NFC NORMALIZED;
