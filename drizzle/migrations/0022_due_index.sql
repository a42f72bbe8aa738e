DROP INDEX "jobs_due";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "jobs_due_at" ON "jobs" USING btree ("command","due_at") WHERE state IN ('QUEUED', 'SENT', 'PENDING') AND due_at > '-infinity';