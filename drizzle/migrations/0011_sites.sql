CREATE TABLE "members" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "members_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"site_id" bigint,
	"machine_id" bigint,
	"account_id" bigint NOT NULL,
	"role" text NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "members_role" CHECK ("members"."role" IN ('viewer', 'operator', 'manager')),
	CONSTRAINT "members_of_one" CHECK (num_nonnulls("members"."site_id", "members"."machine_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "sites" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "sites_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"created_by" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "sites_name_length" CHECK (char_length("sites"."name") BETWEEN 1 AND 64)
);
--> statement-breakpoint
DROP INDEX "machines_by_name";--> statement-breakpoint
DROP INDEX "machines_by_created_at";--> statement-breakpoint
DROP INDEX "machines_by_updated_at";--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "site_id" bigint;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_site_id_sites_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."sites"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sites" ADD CONSTRAINT "sites_created_by_accounts_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "members_once_per_site" ON "members" USING btree ("site_id","account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "members_once_per_machine" ON "members" USING btree ("machine_id","account_id");--> statement-breakpoint
CREATE INDEX "members_by_account" ON "members" USING btree ("account_id","site_id","machine_id");--> statement-breakpoint
CREATE INDEX "sites_by_name" ON "sites" USING btree ("name","id") WHERE "sites"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX "sites_by_creator" ON "sites" USING btree ("created_by") WHERE "sites"."deleted_at" IS NULL;--> statement-breakpoint
ALTER TABLE "machines" ADD CONSTRAINT "machines_site_id_sites_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."sites"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "machines_page_by_id" ON "machines" USING btree (num_nulls(site_id),"id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "machines_page_by_name" ON "machines" USING btree (num_nulls(site_id),"name","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "machines_page_by_created_at" ON "machines" USING btree (num_nulls(site_id),"created_at","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "machines_page_by_updated_at" ON "machines" USING btree (num_nulls(site_id),"updated_at","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "machines_by_site" ON "machines" USING btree ("site_id","id") WHERE "machines"."deleted_at" IS NULL AND "machines"."site_id" IS NOT NULL;--> statement-breakpoint
-- PostgreSQL uses no statistics of a partial index, and without them it does not know how many machines are in no site.
CREATE STATISTICS "machines_without_site" ON (num_nulls("site_id")) FROM "machines";
