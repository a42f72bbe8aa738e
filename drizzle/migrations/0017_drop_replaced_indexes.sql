DROP INDEX "machines_by_site";--> statement-breakpoint
DROP INDEX "machines_by_owner";
