CREATE TABLE "accounts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "accounts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"username" text NOT NULL,
	"username_key" text NOT NULL,
	"email" text NOT NULL,
	"email_key" text NOT NULL,
	"first_name" text DEFAULT '' NOT NULL,
	"last_name" text DEFAULT '' NOT NULL,
	"password_hash" text NOT NULL,
	"is_staff" boolean DEFAULT false NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"date_joined" timestamp with time zone DEFAULT now() NOT NULL,
	"last_login" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" bigint NOT NULL,
	"refresh_id" uuid NOT NULL,
	"user_agent" text,
	"address" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"refreshed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"account_id" bigint NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"outcome" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_key" PRIMARY KEY("account_id","method","path","key")
);
--> statement-breakpoint
CREATE TABLE "job_events" (
	"job_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"state" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"attempt" integer,
	"by" text NOT NULL,
	"reason" text,
	"detail" text,
	CONSTRAINT "job_events_key" PRIMARY KEY("job_id","version")
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"machine_id" bigint NOT NULL,
	"machine_owner_id" bigint NOT NULL,
	"command" text NOT NULL,
	"state" text NOT NULL,
	"result" text,
	"reason" text,
	"detail" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"requested_by" bigint NOT NULL,
	"requested_at" timestamp with time zone NOT NULL,
	"not_after" timestamp with time zone NOT NULL,
	"sent_at" timestamp with time zone,
	"pending_since" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"version" integer DEFAULT 1 NOT NULL,
	"publish_no" integer DEFAULT 1 NOT NULL,
	"published_at" timestamp with time zone,
	"unclear" boolean DEFAULT false NOT NULL,
	"must_succeed" boolean DEFAULT false NOT NULL,
	CONSTRAINT "jobs_command" CHECK ("jobs"."command" IN ('START', 'STOP')),
	CONSTRAINT "jobs_state" CHECK ("jobs"."state" IN ('QUEUED', 'SENT', 'PENDING', 'SUCCEEDED', 'FAILED', 'REJECTED', 'EXPIRED', 'TIMED_OUT', 'CANCELED', 'SUPERSEDED')),
	CONSTRAINT "jobs_result" CHECK ("jobs"."result" IN ('SUCCESS', 'REMOTEFAILED', 'INTERNALFAILED', 'PENDING', 'PERMISSIONDENIED', 'INVALIDCOMMAND', 'IGNORE'))
);
--> statement-breakpoint
CREATE TABLE "machines" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "machines_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"location" text NOT NULL,
	"status" text DEFAULT 'READY' NOT NULL,
	"owner_id" bigint NOT NULL,
	"controller_url" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	"revision" bigint DEFAULT 1 NOT NULL,
	"leased_until" timestamp with time zone,
	"leased_by" text,
	CONSTRAINT "machines_name_length" CHECK (char_length("machines"."name") BETWEEN 1 AND 64),
	CONSTRAINT "machines_location_length" CHECK (char_length("machines"."location") BETWEEN 1 AND 256),
	CONSTRAINT "machines_status" CHECK ("machines"."status" IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR')),
	CONSTRAINT "machines_controller_url_length" CHECK (char_length("machines"."controller_url") <= 2048)
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_machine_id_machines_id_fk" FOREIGN KEY ("machine_id") REFERENCES "public"."machines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_machine_owner_id_accounts_id_fk" FOREIGN KEY ("machine_owner_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_requested_by_accounts_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "machines" ADD CONSTRAINT "machines_owner_id_accounts_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_username_key_unique" ON "accounts" USING btree ("username_key");--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_email_key_unique" ON "accounts" USING btree ("email_key");--> statement-breakpoint
CREATE INDEX "accounts_by_date_joined" ON "accounts" USING btree ("date_joined","id");--> statement-breakpoint
CREATE INDEX "sessions_by_account" ON "sessions" USING btree ("account_id","created_at");--> statement-breakpoint
CREATE INDEX "sessions_by_expiry" ON "sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_by_age" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_one_open_per_command" ON "jobs" USING btree ("machine_id","command") WHERE state IN ('QUEUED', 'SENT', 'PENDING');--> statement-breakpoint
CREATE INDEX "jobs_by_machine" ON "jobs" USING btree ("machine_id","requested_at","id");--> statement-breakpoint
CREATE INDEX "jobs_by_owner" ON "jobs" USING btree ("machine_owner_id","requested_at","id");--> statement-breakpoint
CREATE INDEX "jobs_by_requester" ON "jobs" USING btree ("requested_by","requested_at","id");--> statement-breakpoint
CREATE INDEX "jobs_open_by_publication" ON "jobs" USING btree ("published_at","requested_at") WHERE state IN ('QUEUED', 'SENT', 'PENDING');--> statement-breakpoint
CREATE INDEX "machines_by_name" ON "machines" USING btree ("name","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX "machines_by_created_at" ON "machines" USING btree ("created_at","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX "machines_by_updated_at" ON "machines" USING btree ("updated_at","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX "machines_by_owner" ON "machines" USING btree ("owner_id","id") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX "machines_by_status" ON "machines" USING btree ("status","id") WHERE "machines"."deleted_at" IS NULL;