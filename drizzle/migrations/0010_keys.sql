CREATE TABLE "keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" bigint NOT NULL,
	"name" text NOT NULL,
	"scopes" text[] NOT NULL,
	"machine_id" bigint,
	"site_id" bigint,
	"secret_hash" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "keys_name_length" CHECK (char_length("keys"."name") BETWEEN 1 AND 64),
	CONSTRAINT "keys_scopes" CHECK ("keys"."scopes" <@ ARRAY['read', 'start', 'stop', 'manage', 'report'] AND cardinality("keys"."scopes") > 0)
);
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD COLUMN "caller" text;--> statement-breakpoint
UPDATE "idempotency_keys" SET "caller" = 'account:' || "account_id";--> statement-breakpoint
ALTER TABLE "idempotency_keys" ALTER COLUMN "caller" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "key_id" uuid;--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "keys_by_account" ON "keys" USING btree ("account_id","id");--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_key_id_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" DROP CONSTRAINT "idempotency_keys_key";
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_key" PRIMARY KEY("caller","method","path","key");--> statement-breakpoint
ALTER TABLE "idempotency_keys" DROP COLUMN "account_id";