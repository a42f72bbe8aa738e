CREATE TABLE "machine_reports" (
	"machine_id" bigint PRIMARY KEY NOT NULL,
	"boot_id" text NOT NULL,
	"previous_boot_id" text,
	"seq" bigint NOT NULL,
	"status" text NOT NULL,
	"mode" text,
	"remote_enabled" boolean,
	"cycles" bigint,
	"last_cycle_ms" integer,
	"alarm_code" text,
	"alarm_text" text,
	"interval_seconds" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "machine_reports_status" CHECK ("machine_reports"."status" IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR')),
	CONSTRAINT "machine_reports_mode" CHECK ("machine_reports"."mode" IN ('automatic', 'semi_automatic', 'manual', 'setup', 'unknown'))
);
--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "confirmed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "status_source" text DEFAULT 'person' NOT NULL;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "status_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "confirmed_sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "machine_reports" ADD CONSTRAINT "machine_reports_machine_id_machines_id_fk" FOREIGN KEY ("machine_id") REFERENCES "public"."machines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "machines" ADD CONSTRAINT "machines_status_source" CHECK ("machines"."status_source" IN ('person', 'command', 'report'));--> statement-breakpoint
-- A report that changes only counters finds free space in the page of its row, so that no index changes.
ALTER TABLE "machine_reports" SET (fillfactor = 50);--> statement-breakpoint
UPDATE "machines" SET status_at = updated_at,
  status_source = CASE WHEN ended_sequence > manual_sequence THEN 'command' ELSE 'person' END;
