DROP INDEX "jobs_open_by_publication";--> statement-breakpoint
CREATE INDEX "jobs_on_machines_of_others" ON "jobs" USING btree ("requested_by","requested_at","id") WHERE "jobs"."machine_owner_id" <> "jobs"."requested_by";--> statement-breakpoint
CREATE INDEX "jobs_under_way" ON "jobs" USING btree ("published_at","requested_at") WHERE state IN ('QUEUED', 'SENT');--> statement-breakpoint
CREATE INDEX "jobs_pending" ON "jobs" USING btree ("pending_since") WHERE "jobs"."state" = 'PENDING';