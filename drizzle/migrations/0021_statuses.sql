CREATE TABLE "machine_statuses" (
	"machine_id" bigint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"status" text,
	"source" text NOT NULL,
	CONSTRAINT "machine_statuses_key" PRIMARY KEY("machine_id","at"),
	CONSTRAINT "machine_statuses_status" CHECK ("machine_statuses"."status" IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR')),
	CONSTRAINT "machine_statuses_source" CHECK ("machine_statuses"."source" IN ('person', 'command', 'report'))
);
--> statement-breakpoint
-- Triggers write this table, so that every change of a status leaves a row, whoever makes it; also where somebody sets a
-- status with psql and not its time. At one time a machine has one status: the last one that was set.
CREATE FUNCTION record_machine_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.machine_statuses (machine_id, at, status, source)
    VALUES (NEW.id, CASE WHEN NEW.status_at = OLD.status_at THEN statement_timestamp() ELSE NEW.status_at END,
      NEW.status, NEW.status_source)
    ON CONFLICT (machine_id, at) DO UPDATE SET status = excluded.status, source = excluded.source;
  RETURN NULL;
END $$;--> statement-breakpoint
-- After a silence, two rows: the status was unknown from the time at which the last report was no longer fresh, and is known
-- again. If the status has also changed, the other trigger writes the second row, too.
CREATE FUNCTION record_machine_silence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.machine_statuses (machine_id, at, status, source)
    VALUES (NEW.machine_id, NEW.at, NEW.status, 'report'),
      (NEW.machine_id, OLD.at + make_interval(secs => 3 * OLD.interval_seconds), NULL, 'report')
    ON CONFLICT (machine_id, at) DO NOTHING;
  RETURN NULL;
END $$;--> statement-breakpoint
-- `isFresh` in src/machines/sql/report.ts is the same condition. A report that changes only counters sets no status, and is
-- stored so only while the last one is fresh: PostgreSQL does not prepare the condition for it, which would take longer than
-- the report. This trigger is first, because a report locks these two tables in this order.
CREATE TRIGGER machine_reports_record_silence AFTER UPDATE OF status ON machine_reports
  FOR EACH ROW WHEN (NOT OLD.at > NEW.at - make_interval(secs => 3 * OLD.interval_seconds))
  EXECUTE FUNCTION record_machine_silence();--> statement-breakpoint
ALTER TABLE "machine_statuses" ADD CONSTRAINT "machine_statuses_machine_id_machines_id_fk" FOREIGN KEY ("machine_id") REFERENCES "public"."machines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "machine_statuses_by_at" ON "machine_statuses" USING btree ("at");--> statement-breakpoint
CREATE TRIGGER machines_record_first_status AFTER INSERT ON machines
  FOR EACH ROW EXECUTE FUNCTION record_machine_status();--> statement-breakpoint
CREATE TRIGGER machines_record_status AFTER UPDATE OF status ON machines
  FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION record_machine_status();--> statement-breakpoint
INSERT INTO "machine_statuses" ("machine_id", "at", "status", "source")
  SELECT "id", "status_at", "status", "status_source" FROM "machines";
