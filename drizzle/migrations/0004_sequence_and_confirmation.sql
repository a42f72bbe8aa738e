DROP INDEX "jobs_one_open_per_command";--> statement-breakpoint
DROP INDEX "jobs_under_way";--> statement-breakpoint
DROP INDEX "jobs_pending";--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "next_attempt_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "due_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "controller_confirmed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "confirmed_address" text;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "last_sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "ended_sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "manual_sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_one_open" ON "jobs" USING btree ("machine_id") WHERE state IN ('QUEUED', 'SENT', 'PENDING');--> statement-breakpoint
CREATE INDEX "jobs_due" ON "jobs" USING btree ("command","due_at") WHERE state IN ('QUEUED', 'SENT', 'PENDING');--> statement-breakpoint
CREATE UNIQUE INDEX "machines_one_per_controller" ON "machines" USING btree ("confirmed_address") WHERE "machines"."deleted_at" IS NULL;--> statement-breakpoint
UPDATE "machines" SET "last_sequence" = 1 FROM "jobs" WHERE "jobs"."machine_id" = "machines"."id" AND "jobs"."state" IN ('QUEUED', 'SENT', 'PENDING');--> statement-breakpoint
UPDATE "jobs" SET "sequence" = 1 WHERE "state" IN ('QUEUED', 'SENT', 'PENDING');
