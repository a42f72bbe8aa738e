CREATE TABLE "imported_rows" (
	"kind" text NOT NULL,
	"old_id" bigint NOT NULL,
	"new_id" bigint NOT NULL,
	"imported_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "imported_rows_key" PRIMARY KEY("kind","old_id")
);
