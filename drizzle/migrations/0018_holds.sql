CREATE TABLE "holds" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "holds_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"machine_id" bigint NOT NULL,
	"reason" text NOT NULL,
	"placed_by" bigint NOT NULL,
	"placed_at" timestamp with time zone NOT NULL,
	"removed_at" timestamp with time zone,
	"overridden_by" bigint,
	"overridden_at" timestamp with time zone,
	"override_reason" text,
	CONSTRAINT "holds_reason_length" CHECK (char_length("holds"."reason") BETWEEN 1 AND 1000),
	CONSTRAINT "holds_override" CHECK (num_nulls(overridden_by, overridden_at, override_reason) IN (0, 3))
);
--> statement-breakpoint
ALTER TABLE "holds" ADD CONSTRAINT "holds_machine_id_machines_id_fk" FOREIGN KEY ("machine_id") REFERENCES "public"."machines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holds" ADD CONSTRAINT "holds_placed_by_accounts_id_fk" FOREIGN KEY ("placed_by") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holds" ADD CONSTRAINT "holds_overridden_by_accounts_id_fk" FOREIGN KEY ("overridden_by") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "holds_of_machine" ON "holds" USING btree ("machine_id","id") WHERE removed_at IS NULL;--> statement-breakpoint
CREATE INDEX "holds_of_account" ON "holds" USING btree ("placed_by") WHERE removed_at IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "holds_in_force" ON "holds" USING btree ("machine_id","placed_by") WHERE removed_at IS NULL AND overridden_at IS NULL;