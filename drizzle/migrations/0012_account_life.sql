CREATE TABLE "password_resets" (
	"account_id" bigint PRIMARY KEY NOT NULL,
	"token_hash" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "password_resets_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
ALTER TABLE "password_resets" ADD CONSTRAINT "password_resets_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "password_resets_by_expiry" ON "password_resets" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX CONCURRENTLY "jobs_by_end" ON "jobs" USING btree ("finished_at") WHERE "jobs"."finished_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "jobs_refused" ON "jobs" USING btree ("finished_at") WHERE "jobs"."state" = 'REJECTED';