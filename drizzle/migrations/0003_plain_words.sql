ALTER TABLE "jobs" RENAME COLUMN "unclear" TO "may_have_executed";--> statement-breakpoint
UPDATE "job_events" SET "by" = 'queue' WHERE "by" = 'courier';
