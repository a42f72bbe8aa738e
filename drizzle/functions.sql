CREATE FUNCTION statements.rotate_refresh_5768ad8c0ae7(uuid, uuid, uuid, uuid, double precision, integer, uuid, uuid, double precision, uuid, bigint)
RETURNS TABLE ("refresh_id" uuid) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  RETURN QUERY UPDATE sessions s
    SET refresh_id = CASE WHEN s.refresh_id = $1::uuid THEN $2::uuid ELSE s.refresh_id END,
      previous_refresh_id = CASE WHEN s.refresh_id = $3::uuid THEN s.refresh_id ELSE s.previous_refresh_id END,
      refreshed_at = CASE WHEN s.refresh_id = $4::uuid THEN now() ELSE s.refreshed_at END,
      expires_at = least(now() + make_interval(secs => $5), s.created_at + make_interval(days => $6)),
      ended_at = CASE WHEN s.refresh_id = $7::uuid OR (s.previous_refresh_id = $8::uuid
  AND s.refreshed_at > now() - make_interval(secs => $9)) THEN NULL ELSE now() END
    FROM accounts a
    WHERE s.id = $10::uuid AND s.account_id = $11::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.id = s.account_id AND a.is_active
    RETURNING CASE WHEN s.ended_at IS NULL THEN s.refresh_id END AS refresh_id;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_machine_f4e6a67f731e(uuid, bigint, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller LEFT JOIN machines m
      ON m.id = $3::bigint AND m.deleted_at IS NULL AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 0;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_job_1ea1c11e5087(uuid, bigint, uuid)
RETURNS TABLE ("caller_id" bigint, "key_machine_id" bigint, "key_site_id" bigint, "id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT caller.id AS caller_id, caller.key_machine_id, caller.key_site_id, j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version
    FROM caller LEFT JOIN (jobs j JOIN machines m ON m.id = j.machine_id) ON j.id = $3::uuid AND (j.requested_by = caller.id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE
    OR CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1);
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_audience_c93d3cc68519(uuid, bigint)
RETURNS TABLE ("account_id" bigint, "is_staff" boolean, "key_machine_id" bigint, "key_site_id" bigint, "site_ids" jsonb, "machine_ids" jsonb, "roles" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp()))
    SELECT id AS account_id, is_staff, key_machine_id, key_site_id,
      (SELECT coalesce(jsonb_agg(site_id ORDER BY site_id), '[]') FROM memberships WHERE site_id IS NOT NULL) AS site_ids,
      (SELECT coalesce(jsonb_agg(machine_id ORDER BY machine_id), '[]') FROM memberships WHERE machine_id IS NOT NULL)
        AS machine_ids,
      (SELECT coalesce(jsonb_agg(role ORDER BY site_id, machine_id), '[]') FROM memberships) AS roles
    FROM caller;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machine_history_db56ade9a751(uuid, bigint, bigint, bigint)
RETURNS TABLE ("refusal" text, "id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), machine AS MATERIALIZED (
      SELECT m.id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m WHERE m.id = $3::bigint
    )
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
    SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version, j.requested_at::text AS sort_value FROM jobs j
    WHERE j.machine_id = $4::bigint AND machine.level >= 1
    ORDER BY j.requested_at DESC, j.id DESC LIMIT 21) page ON true
    ORDER BY page.requested_at DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_statuses_be334b8707dc(uuid, bigint, bigint, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone)
RETURNS TABLE ("refusal" text, "status" text, "source" text, "at" timestamp with time zone, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), machine AS MATERIALIZED (
      SELECT m.id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m WHERE m.id = $3::bigint
    )
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
        SELECT * FROM ((SELECT s.status, s.source, s.at, s.at::text AS sort_value FROM machine_statuses s
        WHERE s.machine_id = machine.id AND machine.level >= 1 AND s.at >= coalesce(greatest((SELECT max(at) FROM machine_statuses earlier WHERE machine_id = machine.id AND at <= $4::timestamptz), (SELECT max(at) FROM (SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => 3 * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds)) earlier WHERE machine_id = machine.id AND at <= $5::timestamptz)), $6::timestamptz) ORDER BY s.at DESC, s.at DESC LIMIT 101) UNION ALL (SELECT s.status, s.source, s.at, s.at::text AS sort_value FROM (SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => 3 * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds)) s
        WHERE s.machine_id = machine.id AND machine.level >= 1 AND s.at >= coalesce(greatest((SELECT max(at) FROM machine_statuses earlier WHERE machine_id = machine.id AND at <= $7::timestamptz), (SELECT max(at) FROM (SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => 3 * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds)) earlier WHERE machine_id = machine.id AND at <= $8::timestamptz)), $9::timestamptz) ORDER BY s.at DESC, s.at DESC LIMIT 101)) s ORDER BY s.at DESC, s.at DESC LIMIT 101
      ) page ON true
    ORDER BY page.at DESC, page.at DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_my_history_7c439777ff99(uuid, bigint)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT * FROM ((
    SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version, j.requested_at::text AS sort_value FROM jobs j
    WHERE j.machine_owner_id = caller.id AND (caller.key_id IS NULL OR EXISTS (
    SELECT FROM machines m WHERE m.id = j.machine_id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE))
    ORDER BY j.requested_at DESC, j.id DESC LIMIT 21) UNION ALL (
    SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version, j.requested_at::text AS sort_value FROM jobs j
    WHERE j.requested_by = caller.id AND j.machine_owner_id <> j.requested_by AND (caller.key_id IS NULL OR EXISTS (
    SELECT FROM machines m WHERE m.id = j.machine_id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE))
    ORDER BY j.requested_at DESC, j.id DESC LIMIT 21)) merged
      ORDER BY merged.requested_at DESC, merged.id DESC LIMIT 21
    ) page ON true
    ORDER BY page.requested_at DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_board_ab25bc259b9d(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "holds" jsonb, "open_job" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) END AS holds,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (
    SELECT to_jsonb(open_job) FROM (
      SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version FROM jobs j WHERE j.machine_id = m.id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
    ) open_job) END AS open_job, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_board_5a11e89409b7(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "holds" jsonb, "open_job" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) END AS holds,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (
    SELECT to_jsonb(open_job) FROM (
      SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version FROM jobs j WHERE j.machine_id = m.id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
    ) open_job) END AS open_job, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 101
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_0b667929bed4(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_ed5994292e5d(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 101
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_7060cd3d725e(uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $3::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $6::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $7::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'START' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) THEN 'stale' WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (SELECT jobs.*, jobs.state AS state_before FROM jobs WHERE false),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (SELECT false AS is_taken_over) lease
      WHERE m.id = $8::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $9::uuid, $10::bigint, owner_id, $11,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $12 THEN $13 WHEN $14 THEN $15 WHEN $16 THEN $17 WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $24::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $25::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $26::bigint AND requested_by = caller_id AND command = $27
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'START', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'START')) event)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_8af7196dc3c5(text, text, text, text, uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text, text, text, text, text, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  DELETE FROM idempotency_keys
    WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
      AND created_at <= now() - interval '24 hours';
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $5::uuid AND s.account_id = $6::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $7::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $8::uuid AND s.account_id = $9::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $10::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $11::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'START' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) THEN 'stale' WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (SELECT jobs.*, jobs.state AS state_before FROM jobs WHERE false),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (SELECT false AS is_taken_over) lease
      WHERE m.id = $12::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $13::uuid, $14::bigint, owner_id, $15,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $16 THEN $17 WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 WHEN $24 THEN $25 WHEN $26 THEN $27 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $28::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $29::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $30::bigint AND requested_by = caller_id AND command = $31
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'START', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'START')) event), stored_key AS (
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT $32, $33, $34, $35, $36, to_jsonb(kept) FROM (
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision WHERE decision.decision <> 'not_found') kept)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_preflight_e4f2f364a34e(uuid, bigint, bigint, bigint)
RETURNS TABLE ("refusal" text, "obstacles" jsonb, "status" text, "holds" jsonb, "open_job" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $3::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $4::bigint AND state IN ('QUEUED', 'SENT', 'PENDING'))
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, CASE CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'START' AND state = 'QUEUED' AND not_after > statement_timestamp()) THEN 'repeated' WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())))) THEN 'stale' WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END WHEN 'repeated' THEN '[]'::jsonb ELSE to_jsonb(array_remove(ARRAY[CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' END, CASE WHEN machine.level = 0 THEN 'not_owner' END, CASE WHEN machine.level < 2 THEN 'role_too_low' END, CASE WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' END, CASE WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' END, CASE WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())))) THEN 'stale' END, CASE WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' END, CASE WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' END, CASE WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END], NULL)) END AS obstacles, machine.status,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('by', h.placed_by, 'since', h.placed_at) ORDER BY h.id), '[]')
        FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) AS holds,
      (SELECT jsonb_build_object('by', requested_by, 'since', requested_at) FROM open_jobs) AS open_job
    FROM caller LEFT JOIN machine ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_80f6c2fff875(uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $3::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $6::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $7::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN false THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'STOP' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN false THEN 'stale' WHEN false THEN 'remote_disabled' WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_stop',
        finished_at = statement_start, version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision = 'accepted' AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
      RETURNING jobs.*, open_jobs.state AS state_before),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (
      SELECT count(*) > 0 AS is_taken_over FROM jobs
      WHERE id = split_part(decision.leased_by, ':', 1)::uuid
        AND command IN ('START', 'STOP') AND command <> 'STOP') lease
      WHERE m.id = $8::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $9::uuid, $10::bigint, owner_id, $11,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $12 THEN $13 WHEN $14 THEN $15 WHEN $16 THEN $17 WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $24::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $25::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $26::bigint AND requested_by = caller_id AND command = $27
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'STOP', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'STOP')) event)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_c662a979bbf4(text, text, text, text, uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text, text, text, text, text, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  DELETE FROM idempotency_keys
    WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
      AND created_at <= now() - interval '24 hours';
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $5::uuid AND s.account_id = $6::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $7::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $8::uuid AND s.account_id = $9::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $10::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $11::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN false THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'STOP' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN false THEN 'stale' WHEN false THEN 'remote_disabled' WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_stop',
        finished_at = statement_start, version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision = 'accepted' AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
      RETURNING jobs.*, open_jobs.state AS state_before),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (
      SELECT count(*) > 0 AS is_taken_over FROM jobs
      WHERE id = split_part(decision.leased_by, ':', 1)::uuid
        AND command IN ('START', 'STOP') AND command <> 'STOP') lease
      WHERE m.id = $12::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $13::uuid, $14::bigint, owner_id, $15,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $16 THEN $17 WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 WHEN $24 THEN $25 WHEN $26 THEN $27 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $28::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $29::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $30::bigint AND requested_by = caller_id AND command = $31
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'STOP', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'STOP')) event), stored_key AS (
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT $32, $33, $34, $35, $36, to_jsonb(kept) FROM (
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision WHERE decision.decision <> 'not_found') kept)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_preflight_23e30f84788c(uuid, bigint, bigint, bigint)
RETURNS TABLE ("refusal" text, "obstacles" jsonb, "status" text, "holds" jsonb, "open_job" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $3::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $4::bigint AND state IN ('QUEUED', 'SENT', 'PENDING'))
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, CASE CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN false THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'STOP' AND state = 'QUEUED' AND not_after > statement_timestamp()) THEN 'repeated' WHEN false THEN 'stale' WHEN false THEN 'remote_disabled' WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END WHEN 'repeated' THEN '[]'::jsonb ELSE to_jsonb(array_remove(ARRAY[CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' END, CASE WHEN machine.level = 0 THEN 'not_owner' END, CASE WHEN machine.level < 2 THEN 'role_too_low' END, CASE WHEN false THEN 'held' END, CASE WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' END, CASE WHEN false THEN 'stale' END, CASE WHEN false THEN 'remote_disabled' END, CASE WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' END, CASE WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END], NULL)) END AS obstacles, machine.status,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('by', h.placed_by, 'since', h.placed_at) ORDER BY h.id), '[]')
        FROM holds h WHERE h.machine_id = machine.id AND false) AS holds,
      (SELECT jsonb_build_object('by', requested_by, 'since', requested_at) FROM open_jobs) AS open_job
    FROM caller LEFT JOIN machine ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_machine_44eaa871c08a(uuid, text, text[], bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active)
    SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller LEFT JOIN machines m
      ON m.id = $4::bigint AND m.deleted_at IS NULL AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 0;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_job_057d27fd11b0(uuid, text, text[], uuid)
RETURNS TABLE ("caller_id" bigint, "key_machine_id" bigint, "key_site_id" bigint, "id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active)
    SELECT caller.id AS caller_id, caller.key_machine_id, caller.key_site_id, j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version
    FROM caller LEFT JOIN (jobs j JOIN machines m ON m.id = j.machine_id) ON j.id = $4::uuid AND (j.requested_by = caller.id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE
    OR CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1);
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_audience_f369f5c97d23(uuid, text, text[])
RETURNS TABLE ("account_id" bigint, "is_staff" boolean, "key_machine_id" bigint, "key_site_id" bigint, "site_ids" jsonb, "machine_ids" jsonb, "roles" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp()))
    SELECT id AS account_id, is_staff, key_machine_id, key_site_id,
      (SELECT coalesce(jsonb_agg(site_id ORDER BY site_id), '[]') FROM memberships WHERE site_id IS NOT NULL) AS site_ids,
      (SELECT coalesce(jsonb_agg(machine_id ORDER BY machine_id), '[]') FROM memberships WHERE machine_id IS NOT NULL)
        AS machine_ids,
      (SELECT coalesce(jsonb_agg(role ORDER BY site_id, machine_id), '[]') FROM memberships) AS roles
    FROM caller;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machine_history_156ddea76e87(uuid, text, text[], bigint, bigint)
RETURNS TABLE ("refusal" text, "id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), machine AS MATERIALIZED (
      SELECT m.id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m WHERE m.id = $4::bigint
    )
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
    SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version, j.requested_at::text AS sort_value FROM jobs j
    WHERE j.machine_id = $5::bigint AND machine.level >= 1
    ORDER BY j.requested_at DESC, j.id DESC LIMIT 21) page ON true
    ORDER BY page.requested_at DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_statuses_3e239623cbea(uuid, text, text[], bigint, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone)
RETURNS TABLE ("refusal" text, "status" text, "source" text, "at" timestamp with time zone, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), machine AS MATERIALIZED (
      SELECT m.id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m WHERE m.id = $4::bigint
    )
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
        SELECT * FROM ((SELECT s.status, s.source, s.at, s.at::text AS sort_value FROM machine_statuses s
        WHERE s.machine_id = machine.id AND machine.level >= 1 AND s.at >= coalesce(greatest((SELECT max(at) FROM machine_statuses earlier WHERE machine_id = machine.id AND at <= $5::timestamptz), (SELECT max(at) FROM (SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => 3 * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds)) earlier WHERE machine_id = machine.id AND at <= $6::timestamptz)), $7::timestamptz) ORDER BY s.at DESC, s.at DESC LIMIT 101) UNION ALL (SELECT s.status, s.source, s.at, s.at::text AS sort_value FROM (SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => 3 * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds)) s
        WHERE s.machine_id = machine.id AND machine.level >= 1 AND s.at >= coalesce(greatest((SELECT max(at) FROM machine_statuses earlier WHERE machine_id = machine.id AND at <= $8::timestamptz), (SELECT max(at) FROM (SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => 3 * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds)) earlier WHERE machine_id = machine.id AND at <= $9::timestamptz)), $10::timestamptz) ORDER BY s.at DESC, s.at DESC LIMIT 101)) s ORDER BY s.at DESC, s.at DESC LIMIT 101
      ) page ON true
    ORDER BY page.at DESC, page.at DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_my_history_46f7a1980620(uuid, text, text[])
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active)
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT * FROM ((
    SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version, j.requested_at::text AS sort_value FROM jobs j
    WHERE j.machine_owner_id = caller.id AND (caller.key_id IS NULL OR EXISTS (
    SELECT FROM machines m WHERE m.id = j.machine_id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE))
    ORDER BY j.requested_at DESC, j.id DESC LIMIT 21) UNION ALL (
    SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version, j.requested_at::text AS sort_value FROM jobs j
    WHERE j.requested_by = caller.id AND j.machine_owner_id <> j.requested_by AND (caller.key_id IS NULL OR EXISTS (
    SELECT FROM machines m WHERE m.id = j.machine_id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE))
    ORDER BY j.requested_at DESC, j.id DESC LIMIT 21)) merged
      ORDER BY merged.requested_at DESC, merged.id DESC LIMIT 21
    ) page ON true
    ORDER BY page.requested_at DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_board_937729eb295e(uuid, text, text[])
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "holds" jsonb, "open_job" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT key_site_id FROM caller WHERE is_staff AND key_site_id IS NOT NULL
        UNION ALL SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff
          AND caller.key_machine_id IS NULL AND site_id = coalesce(caller.key_site_id, site_id)) AS sites,
      ARRAY(SELECT key_machine_id FROM caller WHERE key_machine_id IS NOT NULL
        UNION SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) END AS holds,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (
    SELECT to_jsonb(open_job) FROM (
      SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version FROM jobs j WHERE j.machine_id = m.id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
    ) open_job) END AS open_job, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND (NOT caller.is_staff OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND NOT coalesce(m.site_id = ANY (places.sites), false)
      AND (m.site_id IS NOT NULL OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_board_ff1f09abbd1e(uuid, text, text[])
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "holds" jsonb, "open_job" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT key_site_id FROM caller WHERE is_staff AND key_site_id IS NOT NULL
        UNION ALL SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff
          AND caller.key_machine_id IS NULL AND site_id = coalesce(caller.key_site_id, site_id)) AS sites,
      ARRAY(SELECT key_machine_id FROM caller WHERE key_machine_id IS NOT NULL
        UNION SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) END AS holds,
  CASE WHEN CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1 THEN (
    SELECT to_jsonb(open_job) FROM (
      SELECT j.id, j.machine_id, j.machine_owner_id, j.command, j.sequence, j.state, j.result, j.reason, j.detail, j.attempts, j.requested_by, j.key_id, j.requested_at, j.not_after, j.sent_at, j.finished_at, j.confirmed_at, j.version FROM jobs j WHERE j.machine_id = m.id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
    ) open_job) END AS open_job, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND (NOT caller.is_staff OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND NOT coalesce(m.site_id = ANY (places.sites), false)
      AND (m.site_id IS NOT NULL OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 101
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_56fb0085824d(uuid, text, text[])
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT key_site_id FROM caller WHERE is_staff AND key_site_id IS NOT NULL
        UNION ALL SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff
          AND caller.key_machine_id IS NULL AND site_id = coalesce(caller.key_site_id, site_id)) AS sites,
      ARRAY(SELECT key_machine_id FROM caller WHERE key_machine_id IS NOT NULL
        UNION SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND (NOT caller.is_staff OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND NOT coalesce(m.site_id = ANY (places.sites), false)
      AND (m.site_id IS NOT NULL OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_7598f0937b70(uuid, text, text[])
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT key_site_id FROM caller WHERE is_staff AND key_site_id IS NOT NULL
        UNION ALL SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff
          AND caller.key_machine_id IS NULL AND site_id = coalesce(caller.key_site_id, site_id)) AS sites,
      ARRAY(SELECT key_machine_id FROM caller WHERE key_machine_id IS NOT NULL
        UNION SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND caller.key_machine_id IS NULL AND caller.key_site_id IS NULL AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND (NOT caller.is_staff OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND NOT coalesce(m.site_id = ANY (places.sites), false)
      AND (m.site_id IS NOT NULL OR NOT caller.key_machine_id IS NULL AND caller.key_site_id IS NULL) AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 0 AND m.deleted_at IS NULL
        ORDER BY m.id ASC, m.id ASC LIMIT 101)
      ) m
      ORDER BY m.id ASC, m.id ASC LIMIT 101
    ) page ON true
    ORDER BY page.id ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_8a3ef814243b(uuid, text, text[], bigint, uuid, text, text[], bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $4::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $8::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $9::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'START' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) THEN 'stale' WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (SELECT jobs.*, jobs.state AS state_before FROM jobs WHERE false),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (SELECT false AS is_taken_over) lease
      WHERE m.id = $10::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $11::uuid, $12::bigint, owner_id, $13,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $14 THEN $15 WHEN $16 THEN $17 WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 WHEN $24 THEN $25 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $26::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $27::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $28::bigint AND requested_by = caller_id AND command = $29
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'START', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'START')) event)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_996aa1fb7696(text, text, text, text, uuid, text, text[], bigint, uuid, text, text[], bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text, text, text, text, text, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  DELETE FROM idempotency_keys
    WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
      AND created_at <= now() - interval '24 hours';
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $8::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $9::uuid AND k.secret_hash = $10 AND k.scopes && $11::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $12::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $13::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'START' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) THEN 'stale' WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (SELECT jobs.*, jobs.state AS state_before FROM jobs WHERE false),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (SELECT false AS is_taken_over) lease
      WHERE m.id = $14::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $15::uuid, $16::bigint, owner_id, $17,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 WHEN $24 THEN $25 WHEN $26 THEN $27 WHEN $28 THEN $29 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $30::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $31::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $32::bigint AND requested_by = caller_id AND command = $33
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'START', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'START')) event), stored_key AS (
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT $34, $35, $36, $37, $38, to_jsonb(kept) FROM (
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision WHERE decision.decision <> 'not_found') kept)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_preflight_76fa9fca06d3(uuid, text, text[], bigint, bigint)
RETURNS TABLE ("refusal" text, "obstacles" jsonb, "status" text, "holds" jsonb, "open_job" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $4::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $5::bigint AND state IN ('QUEUED', 'SENT', 'PENDING'))
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, CASE WHEN NOT EXISTS (SELECT FROM keys k WHERE k.id = caller.key_id AND 'start' = ANY (k.scopes)) THEN '["scope_missing"]'::jsonb ELSE '[]' END || CASE CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'START' AND state = 'QUEUED' AND not_after > statement_timestamp()) THEN 'repeated' WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())))) THEN 'stale' WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END WHEN 'repeated' THEN '[]'::jsonb ELSE to_jsonb(array_remove(ARRAY[CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' END, CASE WHEN machine.level = 0 THEN 'not_owner' END, CASE WHEN machine.level < 2 THEN 'role_too_low' END, CASE WHEN EXISTS (SELECT FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) THEN 'held' END, CASE WHEN EXISTS (SELECT FROM open_jobs WHERE command IN ('START', 'STOP')) THEN 'job_open' END, CASE WHEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND NOT r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())))) THEN 'stale' END, CASE WHEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = machine.id AND r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) THEN 'remote_disabled' END, CASE WHEN machine.status NOT IN ('READY') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' END, CASE WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END], NULL)) END AS obstacles, machine.status,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('by', h.placed_by, 'since', h.placed_at) ORDER BY h.id), '[]')
        FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) AS holds,
      (SELECT jsonb_build_object('by', requested_by, 'since', requested_at) FROM open_jobs) AS open_job
    FROM caller LEFT JOIN machine ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_58cd532b2e05(uuid, text, text[], bigint, uuid, text, text[], bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $4::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $8::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $9::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN false THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'STOP' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN false THEN 'stale' WHEN false THEN 'remote_disabled' WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_stop',
        finished_at = statement_start, version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision = 'accepted' AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
      RETURNING jobs.*, open_jobs.state AS state_before),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (
      SELECT count(*) > 0 AS is_taken_over FROM jobs
      WHERE id = split_part(decision.leased_by, ':', 1)::uuid
        AND command IN ('START', 'STOP') AND command <> 'STOP') lease
      WHERE m.id = $10::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $11::uuid, $12::bigint, owner_id, $13,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $14 THEN $15 WHEN $16 THEN $17 WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 WHEN $24 THEN $25 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $26::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $27::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $28::bigint AND requested_by = caller_id AND command = $29
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'STOP', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'STOP')) event)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.create_job_10bb271edd0f(text, text, text, text, uuid, text, text[], bigint, uuid, text, text[], bigint, bigint, bigint, uuid, bigint, text, text, text, text, text, text, text, text, text, text, text, text, text, interval, interval, bigint, text, text, text, text, text, text)
RETURNS TABLE ("decision" text, "status" text, "is_fetched" boolean, "open_job_id" uuid, "site_id" bigint, "job" jsonb, "superseded" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  DELETE FROM idempotency_keys
    WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
      AND created_at <= now() - interval '24 hours';
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $8::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $9::uuid AND k.secret_hash = $10 AND k.scopes && $11::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $12::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $13::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN false THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'STOP' AND state = 'QUEUED' AND not_after > statement_start) THEN 'repeated' WHEN false THEN 'stale' WHEN false THEN 'remote_disabled' WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'no_controller' WHEN true THEN 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_stop',
        finished_at = statement_start, version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision = 'accepted' AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
      RETURNING jobs.*, open_jobs.state AS state_before),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (
      SELECT count(*) > 0 AS is_taken_over FROM jobs
      WHERE id = split_part(decision.leased_by, ':', 1)::uuid
        AND command IN ('START', 'STOP') AND command <> 'STOP') lease
      WHERE m.id = $14::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT $15::uuid, $16::bigint, owner_id, $17,
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN $18 THEN $19 WHEN $20 THEN $21 WHEN $22 THEN $23 WHEN $24 THEN $25 WHEN $26 THEN $27 WHEN $28 THEN $29 END,
        nullif(decision, 'accepted'), caller_id, key_id, statement_start, statement_start + $30::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE statement_start END,
        statement_start + CASE WHEN is_fetched THEN $31::interval
          ELSE interval '5 seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN ('wrong_state', 'job_open', 'no_controller', 'held', 'stale', 'remote_disabled') AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = $32::bigint AND requested_by = caller_id AND command = $33
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > statement_start - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, statement_start, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'operation.refuse' AS action, 'machine:' || machine.id AS subject, NULL::jsonb AS before, jsonb_build_object('command', 'STOP', 'reason', decision.decision)::jsonb AS after FROM machine, decision
      WHERE decision.decision IN ('not_found', 'not_owner', 'role_too_low') AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = 'machine:' || machine.id AND e.at > statement_start - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = 'STOP')) event), stored_key AS (
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT $34, $35, $36, $37, $38, to_jsonb(kept) FROM (
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision WHERE decision.decision <> 'not_found') kept)
    
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.read_preflight_1568ee7d5ac3(uuid, text, text[], bigint, bigint)
RETURNS TABLE ("refusal" text, "obstacles" jsonb, "status" text, "holds" jsonb, "open_job" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, machines m
      WHERE m.id = $4::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $5::bigint AND state IN ('QUEUED', 'SENT', 'PENDING'))
    SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 1 THEN 'role_too_low' END AS refusal, CASE WHEN NOT EXISTS (SELECT FROM keys k WHERE k.id = caller.key_id AND 'stop' = ANY (k.scopes)) THEN '["scope_missing"]'::jsonb ELSE '[]' END || CASE CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN false THEN 'held' WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' WHEN EXISTS (SELECT FROM open_jobs WHERE command = 'STOP' AND state = 'QUEUED' AND not_after > statement_timestamp()) THEN 'repeated' WHEN false THEN 'stale' WHEN false THEN 'remote_disabled' WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END WHEN 'repeated' THEN '[]'::jsonb ELSE to_jsonb(array_remove(ARRAY[CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' END, CASE WHEN machine.level = 0 THEN 'not_owner' END, CASE WHEN machine.level < 2 THEN 'role_too_low' END, CASE WHEN false THEN 'held' END, CASE WHEN EXISTS (SELECT FROM open_jobs WHERE false) THEN 'job_open' END, CASE WHEN false THEN 'stale' END, CASE WHEN false THEN 'remote_disabled' END, CASE WHEN machine.status NOT IN ('POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR') AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state' END, CASE WHEN machine.controller_url IS NULL AND NOT EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = machine.id OR k.site_id = machine.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'no_controller' END], NULL)) END AS obstacles, machine.status,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('by', h.placed_by, 'since', h.placed_at) ORDER BY h.id), '[]')
        FROM holds h WHERE h.machine_id = machine.id AND false) AS holds,
      (SELECT jsonb_build_object('by', requested_by, 'since', requested_at) FROM open_jobs) AS open_job
    FROM caller LEFT JOIN machine ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_35f10413d5a2(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.id::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.id DESC, m.id DESC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.id DESC, m.id DESC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.id DESC, m.id DESC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.id DESC, m.id DESC LIMIT 21)
      ) m
      ORDER BY m.id DESC, m.id DESC LIMIT 21
    ) page ON true
    ORDER BY page.id DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_b59a81dcad74(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.name::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.name ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.name ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.name ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.name ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.name ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.name ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_474c7bafbb8d(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.name::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.name DESC, m.id DESC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.name DESC, m.id DESC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.name DESC, m.id DESC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.name DESC, m.id DESC LIMIT 21)
      ) m
      ORDER BY m.name DESC, m.id DESC LIMIT 21
    ) page ON true
    ORDER BY page.name DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_96e51c8548d8(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.created_at::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.created_at ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.created_at ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.created_at ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.created_at ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.created_at ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.created_at ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_0e0b7f64504f(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.created_at::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.created_at DESC, m.id DESC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.created_at DESC, m.id DESC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.created_at DESC, m.id DESC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.created_at DESC, m.id DESC LIMIT 21)
      ) m
      ORDER BY m.created_at DESC, m.id DESC LIMIT 21
    ) page ON true
    ORDER BY page.created_at DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_16525ebd41e1(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.updated_at::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.updated_at ASC, m.id ASC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.updated_at ASC, m.id ASC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.updated_at ASC, m.id ASC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.updated_at ASC, m.id ASC LIMIT 21)
      ) m
      ORDER BY m.updated_at ASC, m.id ASC LIMIT 21
    ) page ON true
    ORDER BY page.updated_at ASC, page.id ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_machines_e779fbc62a9e(uuid, bigint)
RETURNS TABLE ("id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), 
    memberships AS MATERIALIZED (
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE (member.expires_at IS NULL OR member.expires_at > statement_timestamp())),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION 
      SELECT own.id FROM machines own WHERE own.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller) AND own.site_id IS NOT NULL AND own.deleted_at IS NULL) AS machines)
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM memberships member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported, m.updated_at::text AS sort_value FROM (
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE true AND num_nulls(m.site_id) = 1 AND m.deleted_at IS NULL
        ORDER BY m.updated_at DESC, m.id DESC LIMIT 21)
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE caller.is_staff AND num_nulls(m.site_id) = 0 AND m.deleted_at IS NULL
        ORDER BY m.updated_at DESC, m.id DESC LIMIT 21)
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL 
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.site_id = site.id AND m.deleted_at IS NULL
        ORDER BY m.updated_at DESC, m.id DESC LIMIT 21) m
        UNION ALL
        
        (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision FROM machines m WHERE m.id = ANY (places.machines) AND NOT caller.is_staff AND m.site_id IS NOT NULL AND NOT coalesce(m.site_id = ANY (places.sites), false) AND m.deleted_at IS NULL
        ORDER BY m.updated_at DESC, m.id DESC LIMIT 21)
      ) m
      ORDER BY m.updated_at DESC, m.id DESC LIMIT 21
    ) page ON true
    ORDER BY page.updated_at DESC, page.id DESC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.insert_machine_4f01ceee8654(uuid, bigint, uuid, bigint, bigint, bigint, text, bigint, text, text, text, bigint, text)
RETURNS TABLE ("decision" text, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $3::uuid AND s.account_id = $4::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    quota AS (SELECT count(*) >= $5::bigint AS is_exceeded FROM caller, LATERAL (
      SELECT FROM machines WHERE owner_id BETWEEN caller.id AND caller.id AND deleted_at IS NULL
      ORDER BY owner_id, id LIMIT $6::bigint) owned),
    destination AS (SELECT NULL::bigint AS id),
    decision AS (SELECT CASE WHEN false THEN 'created' WHEN caller.key_machine_id IS NOT NULL THEN 'outside_key' WHEN caller.key_site_id IS NOT NULL THEN 'outside_key' WHEN quota.is_exceeded THEN 'quota_exceeded' WHEN EXISTS (SELECT FROM machines WHERE confirmed_address = $7
    AND deleted_at IS NULL AND id IS DISTINCT FROM $8::bigint) THEN 'controller_taken' WHEN true THEN 'created' END AS decision FROM caller, quota, destination),
    m AS (
      INSERT INTO machines (owner_id, "name", "location", "status", "site_id", "controller_url")
      SELECT caller.id, $9::text, $10::text, $11::text, $12::bigint, $13::text FROM caller, decision WHERE decision.decision = 'created'
      RETURNING *
    ),
    events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'machine.add' AS action, 'machine:' || m.id AS subject, NULL::jsonb AS before, jsonb_build_object('owner_id', m.owner_id, 'site_id', m.site_id, 'status', m.status, 'controller_url', m.controller_url)::jsonb AS after FROM m) event)
    SELECT decision.decision, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.insert_machine_922032ae12a8(uuid, bigint, uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, text, bigint, text, text, text, bigint, text)
RETURNS TABLE ("decision" text, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a
  LOOP END LOOP;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $3::uuid AND s.account_id = $4::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT s.id FROM caller, sites s
    WHERE s.id = $5::bigint AND s.deleted_at IS NULL AND CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), -1) END >= 1 FOR KEY SHARE OF s
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $6::uuid AND s.account_id = $7::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    quota AS (SELECT count(*) >= $8::bigint AS is_exceeded FROM caller, LATERAL (
      SELECT FROM machines WHERE owner_id BETWEEN caller.id AND caller.id AND deleted_at IS NULL
      ORDER BY owner_id, id LIMIT $9::bigint) owned),
    destination AS (
    SELECT s.id, CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), -1) END AS level FROM caller LEFT JOIN sites s
      ON s.id = $10::bigint AND s.deleted_at IS NULL),
    decision AS (SELECT CASE WHEN false THEN 'created' WHEN caller.key_machine_id IS NOT NULL THEN 'outside_key' WHEN (destination.id IS NULL OR destination.level < 0) THEN 'no_such_site' WHEN NOT destination.level >= 3 THEN 'site_role_too_low' WHEN quota.is_exceeded THEN 'quota_exceeded' WHEN EXISTS (SELECT FROM machines WHERE confirmed_address = $11
    AND deleted_at IS NULL AND id IS DISTINCT FROM $12::bigint) THEN 'controller_taken' WHEN true THEN 'created' END AS decision FROM caller, quota, destination),
    m AS (
      INSERT INTO machines (owner_id, "name", "location", "status", "site_id", "controller_url")
      SELECT caller.id, $13::text, $14::text, $15::text, $16::bigint, $17::text FROM caller, decision WHERE decision.decision = 'created'
      RETURNING *
    ),
    events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'machine.add' AS action, 'machine:' || m.id AS subject, NULL::jsonb AS before, jsonb_build_object('owner_id', m.owner_id, 'site_id', m.site_id, 'status', m.status, 'controller_url', m.controller_url)::jsonb AS after FROM m) event)
    SELECT decision.decision, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.insert_machine_dc85085a65c3(text, text, text, text, uuid, bigint, uuid, bigint, bigint, bigint, text, text, text, text, text, bigint, text, text, text, bigint, text, text, text, text, text, text)
RETURNS TABLE ("decision" text, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  DELETE FROM idempotency_keys
    WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
      AND created_at <= now() - interval '24 hours';
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $5::uuid AND s.account_id = $6::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $7::uuid AND s.account_id = $8::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    quota AS (SELECT count(*) >= $9::bigint AS is_exceeded FROM caller, LATERAL (
      SELECT FROM machines WHERE owner_id BETWEEN caller.id AND caller.id AND deleted_at IS NULL
      ORDER BY owner_id, id LIMIT $10::bigint) owned),
    destination AS (SELECT NULL::bigint AS id),
    decision AS (SELECT CASE WHEN EXISTS (SELECT FROM idempotency_keys
    WHERE caller = $11 AND method = $12 AND path = $13 AND key = $14) THEN 'created' WHEN caller.key_machine_id IS NOT NULL THEN 'outside_key' WHEN caller.key_site_id IS NOT NULL THEN 'outside_key' WHEN quota.is_exceeded THEN 'quota_exceeded' WHEN EXISTS (SELECT FROM machines WHERE confirmed_address = $15
    AND deleted_at IS NULL AND id IS DISTINCT FROM $16::bigint) THEN 'controller_taken' WHEN true THEN 'created' END AS decision FROM caller, quota, destination),
    m AS (
      INSERT INTO machines (owner_id, "name", "location", "status", "site_id", "controller_url")
      SELECT caller.id, $17::text, $18::text, $19::text, $20::bigint, $21::text FROM caller, decision WHERE decision.decision = 'created'
      RETURNING *
    ),
    events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'machine.add' AS action, 'machine:' || m.id AS subject, NULL::jsonb AS before, jsonb_build_object('owner_id', m.owner_id, 'site_id', m.site_id, 'status', m.status, 'controller_url', m.controller_url)::jsonb AS after FROM m) event), stored_key AS (
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT $22, $23, $24, $25, $26, to_jsonb(kept) FROM (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller, m) kept)
    SELECT decision.decision, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.insert_machine_724f36351c35(text, text, text, text, uuid, bigint, uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, text, text, text, text, text, bigint, text, text, text, bigint, text, text, text, text, text, text)
RETURNS TABLE ("decision" text, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  DELETE FROM idempotency_keys
    WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
      AND created_at <= now() - interval '24 hours';
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $5::uuid AND s.account_id = $6::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a
  LOOP END LOOP;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $7::uuid AND s.account_id = $8::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT s.id FROM caller, sites s
    WHERE s.id = $9::bigint AND s.deleted_at IS NULL AND CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), -1) END >= 1 FOR KEY SHARE OF s
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $10::uuid AND s.account_id = $11::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    quota AS (SELECT count(*) >= $12::bigint AS is_exceeded FROM caller, LATERAL (
      SELECT FROM machines WHERE owner_id BETWEEN caller.id AND caller.id AND deleted_at IS NULL
      ORDER BY owner_id, id LIMIT $13::bigint) owned),
    destination AS (
    SELECT s.id, CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), -1) END AS level FROM caller LEFT JOIN sites s
      ON s.id = $14::bigint AND s.deleted_at IS NULL),
    decision AS (SELECT CASE WHEN EXISTS (SELECT FROM idempotency_keys
    WHERE caller = $15 AND method = $16 AND path = $17 AND key = $18) THEN 'created' WHEN caller.key_machine_id IS NOT NULL THEN 'outside_key' WHEN (destination.id IS NULL OR destination.level < 0) THEN 'no_such_site' WHEN NOT destination.level >= 3 THEN 'site_role_too_low' WHEN quota.is_exceeded THEN 'quota_exceeded' WHEN EXISTS (SELECT FROM machines WHERE confirmed_address = $19
    AND deleted_at IS NULL AND id IS DISTINCT FROM $20::bigint) THEN 'controller_taken' WHEN true THEN 'created' END AS decision FROM caller, quota, destination),
    m AS (
      INSERT INTO machines (owner_id, "name", "location", "status", "site_id", "controller_url")
      SELECT caller.id, $21::text, $22::text, $23::text, $24::bigint, $25::text FROM caller, decision WHERE decision.decision = 'created'
      RETURNING *
    ),
    events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'machine.add' AS action, 'machine:' || m.id AS subject, NULL::jsonb AS before, jsonb_build_object('owner_id', m.owner_id, 'site_id', m.site_id, 'status', m.status, 'controller_url', m.controller_url)::jsonb AS after FROM m) event), stored_key AS (
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT $26, $27, $28, $29, $30, to_jsonb(kept) FROM (SELECT m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller, m) kept)
    SELECT decision.decision, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.change_machine_1ee2d70e0364(uuid, bigint, bigint, uuid, bigint, bigint, bigint, boolean, bigint[], text, text, text, text, bigint)
RETURNS TABLE ("decision" text, "job_id" uuid, "site_before" bigint, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $3::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    target AS (SELECT * FROM machines WHERE id = $6::bigint AND deleted_at IS NULL),
    access AS MATERIALIZED (
      SELECT target.id, CASE WHEN (caller.key_machine_id <> target.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM target.site_id) THEN -1
    WHEN caller.is_staff OR target.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = target.id OR member.site_id = target.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN target.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller LEFT JOIN target ON true
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $7::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    destination AS (SELECT NULL::bigint AS id),
    decision AS (
      SELECT CASE WHEN access.id IS NULL OR access.level < 0 THEN 'not_found' WHEN access.level = 0 THEN 'not_owner' WHEN access.level < 3 THEN 'role_too_low' WHEN $8::boolean AND NOT target.revision = ANY ($9::bigint[]) THEN 'precondition_failed' WHEN EXISTS (SELECT FROM open_jobs) AND false THEN 'job_open' WHEN false AND target.status IN ('RUNNING', 'PENDING') THEN 'machine_running' WHEN false THEN 'machine_reports' WHEN false THEN 'controller_taken' WHEN (target."name" IS DISTINCT FROM coalesce($10::text, "name") OR target."location" IS DISTINCT FROM coalesce($11::text, "location")) THEN 'changed' WHEN true THEN 'unchanged' END AS decision, false AS is_manual
      FROM access CROSS JOIN destination LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE machines SET "name" = coalesce($12::text, "name"), "location" = coalesce($13::text, "location"), updated_at = statement_start, revision = revision + 1,
        manual_sequence = CASE WHEN decision.is_manual THEN last_sequence ELSE manual_sequence END
      FROM decision WHERE machines.id = $14::bigint AND decision.decision = 'changed'
      RETURNING machines.*
    ),
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, decision WHERE decision.decision = 'unchanged'
    )
    SELECT decision.decision, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id,
      (SELECT site_id FROM target) AS site_before, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported
    FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.change_machine_6addc054db04(uuid, bigint, bigint, uuid, bigint, bigint, bigint, boolean, bigint[], text, text, text, text, text, text, text, text, text, text, text, bigint)
RETURNS TABLE ("decision" text, "job_id" uuid, "site_before" bigint, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $3::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    target AS (SELECT * FROM machines WHERE id = $6::bigint AND deleted_at IS NULL),
    access AS MATERIALIZED (
      SELECT target.id, CASE WHEN (caller.key_machine_id <> target.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM target.site_id) THEN -1
    WHEN caller.is_staff OR target.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = target.id OR member.site_id = target.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN target.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller LEFT JOIN target ON true
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $7::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    destination AS (SELECT NULL::bigint AS id),
    decision AS (
      SELECT CASE WHEN access.id IS NULL OR access.level < 0 THEN 'not_found' WHEN access.level = 0 THEN 'not_owner' WHEN access.level < 3 THEN 'role_too_low' WHEN $8::boolean AND NOT target.revision = ANY ($9::bigint[]) THEN 'precondition_failed' WHEN EXISTS (SELECT FROM open_jobs) AND (target."status" IS DISTINCT FROM $10::text) THEN 'job_open' WHEN false AND target.status IN ('RUNNING', 'PENDING') THEN 'machine_running' WHEN target.status <> $11::text AND EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = target.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND true) THEN 'machine_reports' WHEN false THEN 'controller_taken' WHEN (target."name" IS DISTINCT FROM coalesce($12::text, "name") OR target."location" IS DISTINCT FROM coalesce($13::text, "location") OR target."status" IS DISTINCT FROM $14::text) THEN 'changed' WHEN true THEN 'unchanged' END AS decision, (target."status" IS DISTINCT FROM $15::text) AS is_manual
      FROM access CROSS JOIN destination LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE machines SET "name" = coalesce($16::text, "name"), "location" = coalesce($17::text, "location"), "status" = $18::text, status_source = CASE WHEN status = $19::text THEN status_source ELSE 'person' END, status_at = CASE WHEN status = $20::text THEN status_at ELSE statement_start END, updated_at = statement_start, revision = revision + 1,
        manual_sequence = CASE WHEN decision.is_manual THEN last_sequence ELSE manual_sequence END
      FROM decision WHERE machines.id = $21::bigint AND decision.decision = 'changed'
      RETURNING machines.*
    ), events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'machine.status' AS action, 'machine:' || target.id AS subject, jsonb_build_object('status', target.status)::jsonb AS before, jsonb_build_object('status', changed.status)::jsonb AS after FROM target, changed WHERE target.status IS DISTINCT FROM changed.status) event),
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, decision WHERE decision.decision = 'unchanged'
    )
    SELECT decision.decision, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id,
      (SELECT site_id FROM target) AS site_before, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported
    FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.change_machine_79c036d5e7f4(uuid, bigint, bigint, uuid, bigint, bigint, bigint, boolean, bigint[], text, text, bigint, text, text, text, text, text, text, text, text, text, bigint)
RETURNS TABLE ("decision" text, "job_id" uuid, "site_before" bigint, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $3::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    target AS (SELECT * FROM machines WHERE id = $6::bigint AND deleted_at IS NULL),
    access AS MATERIALIZED (
      SELECT target.id, CASE WHEN (caller.key_machine_id <> target.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM target.site_id) THEN -1
    WHEN caller.is_staff OR target.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = target.id OR member.site_id = target.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN target.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller LEFT JOIN target ON true
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $7::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    destination AS (SELECT NULL::bigint AS id),
    decision AS (
      SELECT CASE WHEN access.id IS NULL OR access.level < 0 THEN 'not_found' WHEN access.level = 0 THEN 'not_owner' WHEN access.level < 3 THEN 'role_too_low' WHEN $8::boolean AND NOT target.revision = ANY ($9::bigint[]) THEN 'precondition_failed' WHEN EXISTS (SELECT FROM open_jobs) AND (target."controller_url" IS DISTINCT FROM $10::text) THEN 'job_open' WHEN false AND target.status IN ('RUNNING', 'PENDING') THEN 'machine_running' WHEN false THEN 'machine_reports' WHEN EXISTS (SELECT FROM machines WHERE confirmed_address = $11
    AND deleted_at IS NULL AND id IS DISTINCT FROM $12::bigint) THEN 'controller_taken' WHEN (target."name" IS DISTINCT FROM coalesce($13::text, "name") OR target."location" IS DISTINCT FROM coalesce($14::text, "location") OR target."controller_url" IS DISTINCT FROM $15::text) THEN 'changed' WHEN true THEN 'unchanged' END AS decision, (target."controller_url" IS DISTINCT FROM $16::text) AS is_manual
      FROM access CROSS JOIN destination LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE machines SET "name" = coalesce($17::text, "name"), "location" = coalesce($18::text, "location"), "controller_url" = $19::text, controller_confirmed_at = CASE WHEN controller_url IS NOT DISTINCT FROM $20 THEN controller_confirmed_at END, confirmed_address = CASE WHEN controller_url IS NOT DISTINCT FROM $21 THEN confirmed_address END, updated_at = statement_start, revision = revision + 1,
        manual_sequence = CASE WHEN decision.is_manual THEN last_sequence ELSE manual_sequence END
      FROM decision WHERE machines.id = $22::bigint AND decision.decision = 'changed'
      RETURNING machines.*
    ), events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'machine.controller' AS action, 'machine:' || target.id AS subject, jsonb_build_object('controller_url', target.controller_url)::jsonb AS before, jsonb_build_object('controller_url', changed.controller_url)::jsonb AS after FROM target, changed WHERE target.controller_url IS DISTINCT FROM changed.controller_url) event),
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, decision WHERE decision.decision = 'unchanged'
    )
    SELECT decision.decision, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id,
      (SELECT site_id FROM target) AS site_before, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported
    FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.change_machine_ef108f215d35(uuid, bigint, bigint, uuid, bigint, bigint, bigint, boolean, bigint[], bigint)
RETURNS TABLE ("decision" text, "job_id" uuid, "site_before" bigint, "id" bigint, "name" text, "location" text, "status" text, "status_source" text, "status_at" timestamp with time zone, "owner_id" bigint, "site_id" bigint, "controller_url" text, "controller_confirmed_at" timestamp with time zone, "created_at" timestamp with time zone, "updated_at" timestamp with time zone, "revision" bigint, "my_role" text, "delivery" text, "reported" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $3::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    target AS (SELECT * FROM machines WHERE id = $6::bigint AND deleted_at IS NULL),
    access AS MATERIALIZED (
      SELECT target.id, CASE WHEN (caller.key_machine_id <> target.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM target.site_id) THEN -1
    WHEN caller.is_staff OR target.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = target.id OR member.site_id = target.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN target.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller LEFT JOIN target ON true
    ),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $7::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    destination AS (SELECT NULL::bigint AS id),
    decision AS (
      SELECT CASE WHEN access.id IS NULL OR access.level < 0 THEN 'not_found' WHEN access.level = 0 THEN 'not_owner' WHEN access.level < 3 THEN 'role_too_low' WHEN $8::boolean AND NOT target.revision = ANY ($9::bigint[]) THEN 'precondition_failed' WHEN EXISTS (SELECT FROM open_jobs) AND true THEN 'job_open' WHEN true AND target.status IN ('RUNNING', 'PENDING') THEN 'machine_running' WHEN false THEN 'machine_reports' WHEN false THEN 'controller_taken' WHEN true THEN 'changed' WHEN true THEN 'unchanged' END AS decision, true AS is_manual
      FROM access CROSS JOIN destination LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE machines SET deleted_at = statement_start, updated_at = statement_start, revision = revision + 1,
        manual_sequence = CASE WHEN decision.is_manual THEN last_sequence ELSE manual_sequence END
      FROM decision WHERE machines.id = $10::bigint AND decision.decision = 'changed'
      RETURNING machines.*
    ), events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (
      SELECT 'machine.delete' AS action, 'machine:' || target.id AS subject, jsonb_build_object('owner_id', target.owner_id, 'site_id', target.site_id, 'status', target.status, 'controller_url', target.controller_url)::jsonb AS before, NULL::jsonb AS after FROM target, changed) event),
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, decision WHERE decision.decision = 'unchanged'
    )
    SELECT decision.decision, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id,
      (SELECT site_id FROM target) AS site_before, m.id, m.name, m.location, m.status, m.status_source, m.status_at, m.owner_id, m.site_id, m.controller_url, m.controller_confirmed_at, m.created_at, m.updated_at, m.revision, (ARRAY['viewer', 'operator', 'manager'])[CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END] AS my_role,
    CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start))) THEN 'pull' ELSE 'push' END AS delivery, (
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', r.at > statement_start - make_interval(secs => 3 * r.interval_seconds), 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id) AS reported
    FROM caller CROSS JOIN decision LEFT JOIN m ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.place_hold_585a8e2a08b0(uuid, bigint, uuid, bigint, bigint, uuid, bigint, bigint, bigint, bigint, bigint, text, bigint)
RETURNS TABLE ("decision" text, "caller_id" bigint, "superseded" jsonb, "open_job_id" uuid, "changed" jsonb, "id" bigint, "machine_id" bigint, "reason" text, "placed_by" bigint, "placed_at" timestamp with time zone, "override" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a
  LOOP END LOOP;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $3::uuid AND s.account_id = $4::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = $5::bigint AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $6::uuid AND s.account_id = $7::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), machine AS MATERIALIZED (
    SELECT m.id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level, m.owner_id FROM caller, machines m
    WHERE m.id = $8::bigint AND m.deleted_at IS NULL),
    open_jobs AS (SELECT * FROM jobs WHERE machine_id = $9::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')),
    present AS (
      SELECT h.* FROM caller JOIN holds h ON h.machine_id = $10::bigint AND h.placed_by = caller.id AND h.removed_at IS NULL AND h.overridden_at IS NULL
    ),
    decision AS (SELECT CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM open_jobs WHERE open_jobs.command IN ('START') AND state <> 'QUEUED') THEN 'start_in_flight' WHEN EXISTS (SELECT FROM present) THEN 'present' WHEN true THEN 'placed' END AS decision FROM caller LEFT JOIN machine ON true),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_hold', finished_at = statement_start,
        version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision IN ('placed', 'present') AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
        AND open_jobs.command IN ('START')
      RETURNING jobs.*
    ),
    job_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT superseded.id, version, state, statement_start, nullif(attempts, 0), caller.id::text, reason FROM superseded, caller
    ),
    added AS (
      INSERT INTO holds (machine_id, reason, placed_by, placed_at)
      SELECT $11::bigint, $12, caller.id, statement_start FROM caller, decision WHERE decision.decision = 'placed'
      RETURNING *
    ),
    changed AS (
      UPDATE machines m SET revision = m.revision + 1,
        ended_sequence = greatest(m.ended_sequence, (SELECT sequence FROM superseded))
      FROM decision WHERE m.id = $13::bigint AND decision.decision IN ('placed', 'present')
        AND (EXISTS (SELECT FROM added) OR EXISTS (SELECT FROM superseded))
      RETURNING m.id, m.revision, m.owner_id, m.site_id
    ),
    events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'hold.place' AS action, 'machine:' || machine_id AS subject, NULL::jsonb AS before, jsonb_build_object('hold_id', id)::jsonb AS after FROM added) event),
    h AS (SELECT * FROM added UNION ALL SELECT present.* FROM present, decision WHERE decision.decision = 'present')
    SELECT decision.decision, caller.id AS caller_id, (SELECT to_jsonb(superseded) FROM superseded) AS superseded,
      (SELECT id FROM open_jobs) AS open_job_id, (SELECT to_jsonb(changed) FROM changed) AS changed, h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override
    FROM caller CROSS JOIN decision LEFT JOIN h ON true;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.remove_hold_4974276f47c6(uuid, bigint, bigint, bigint, bigint, bigint)
RETURNS TABLE ("decision" text, "changed" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active), machine AS MATERIALIZED (
    SELECT m.id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level, m.owner_id FROM caller, machines m
    WHERE m.id = $3::bigint AND m.deleted_at IS NULL),
    target AS (
      SELECT * FROM holds WHERE id = $4::bigint AND machine_id = $5::bigint AND removed_at IS NULL
    ),
    decision AS (
      SELECT CASE WHEN target.id IS NULL OR (target.placed_by <> caller.id AND coalesce(machine.level, 0) < 1) THEN 'not_found' WHEN target.placed_by <> caller.id THEN 'hold_of_other' WHEN true THEN 'removed' END AS decision FROM caller LEFT JOIN target ON true LEFT JOIN machine ON true
    ),
    removed AS (
      UPDATE holds SET removed_at = statement_timestamp() FROM decision
      WHERE holds.id = $6::bigint AND holds.removed_at IS NULL AND decision.decision = 'removed' RETURNING holds.*
    ),
    changed AS (
      UPDATE machines m SET revision = m.revision + 1 FROM removed WHERE m.id = removed.machine_id RETURNING m.id, m.revision, m.owner_id, m.site_id
    ),
    events AS (
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (SELECT 'hold.remove' AS action, 'machine:' || machine_id AS subject, NULL::jsonb AS before, jsonb_build_object('hold_id', id)::jsonb AS after FROM removed) event)
    SELECT decision, (SELECT to_jsonb(changed) FROM changed) AS changed FROM decision;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.cancel_job_073d8dc2d196(uuid, bigint, uuid, uuid, bigint, uuid, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "caller_id" bigint, "decision" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT m.id FROM caller, jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $3::uuid
      AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $4::uuid AND s.account_id = $5::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active),
    target AS MATERIALIZED (
      SELECT j.*, m.site_id, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, jobs j JOIN machines m ON m.id = j.machine_id
      WHERE j.id = $6::uuid AND (j.requested_by = caller.id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE
    OR CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1)
    ),
    canceled AS (
      UPDATE jobs SET state = 'CANCELED', result = 'IGNORE', reason = 'by_person', detail = $7,
        finished_at = statement_start, version = jobs.version + 1
      FROM target
      WHERE jobs.id = target.id AND jobs.version = target.version AND target.state = 'QUEUED' AND NOT target.must_succeed
        AND target.level >= 2
      RETURNING jobs.*
    ),
    machine AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, canceled.sequence)
      FROM canceled WHERE m.id = canceled.machine_id
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, by, key_id, reason, detail)
      SELECT canceled.id, version, state, statement_start, caller.id::text, caller.key_id, reason, detail FROM canceled, caller
    ),
    current_job AS (
      SELECT canceled.id, canceled.machine_id, canceled.machine_owner_id, canceled.command, canceled.sequence, canceled.state, canceled.result, canceled.reason, canceled.detail, canceled.attempts, canceled.requested_by, canceled.key_id, canceled.requested_at, canceled.not_after, canceled.sent_at, canceled.finished_at, canceled.confirmed_at, canceled.version FROM canceled UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, target.site_id, NULL::bigint AS revision, caller.id AS caller_id, CASE WHEN target.id IS NULL THEN 'not_found' WHEN target.level < 1 THEN 'not_owner' WHEN target.id IS NULL OR target.level < 0 THEN 'not_found' WHEN target.level = 0 THEN 'not_owner' WHEN target.level < 2 THEN 'role_too_low' WHEN EXISTS (SELECT FROM canceled) THEN 'canceled' WHEN true THEN 'not_cancelable' END AS decision
    FROM caller LEFT JOIN current_job ON true LEFT JOIN target ON true ORDER BY current_job.version DESC NULLS LAST LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.list_events_0bb6b48543aa(uuid, bigint, uuid)
RETURNS TABLE ("job_id" uuid, "version" integer, "state" text, "at" timestamp with time zone, "attempt" integer, "by" text, "key_id" uuid, "reason" text, "detail" text, "sort_value" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active)
    SELECT j.id AS job_id, page.* FROM caller LEFT JOIN (jobs j JOIN machines m ON m.id = j.machine_id) ON j.id = $3::uuid AND (j.requested_by = caller.id AND (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) IS NOT TRUE
    OR CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 1)
      LEFT JOIN LATERAL (
        SELECT e.version, e.state, e.at, e.attempt, e.by, e.key_id, e.reason, e.detail, e.version::text AS sort_value FROM job_events e
        WHERE e.job_id = j.id ORDER BY e.version ASC, e.version ASC LIMIT 101
      ) page ON true
    ORDER BY page.version ASC, page.version ASC;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.claim_17fc8de7cb27(uuid, uuid, boolean)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "step" text, "controller_url" text, "is_controller_confirmed" boolean, "owner" text, "may_have_executed_before" boolean, "lease_remaining_seconds" double precision, "delay_seconds" double precision, "time_left_seconds" double precision) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  PERFORM m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = $1::uuid
    FOR NO KEY UPDATE OF m;
  statement_start := clock_timestamp();
  RETURN QUERY WITH due AS (
      SELECT j.*, m.controller_url, m.controller_confirmed_at IS NOT NULL AS is_controller_confirmed,
        owner.username AS owner, 
  extract(epoch FROM m.leased_until - statement_start)::float8 AS lease_remaining_seconds,
  greatest(extract(epoch FROM j.next_attempt_at - statement_start), 0)::float8 AS delay_seconds, CASE WHEN j.state IN ('PENDING') AND j.pending_since + interval '600 seconds' <= statement_start THEN 'time_out' WHEN j.state IN ('PENDING') THEN 'wait' WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL WHEN m.leased_until > statement_start THEN 'leased' WHEN j.attempts >= CASE j.command WHEN 'START' THEN 4 WHEN 'STOP' THEN NULL END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'fail_unreachable' END WHEN j.not_after <= statement_start THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'expire' END WHEN (m.deleted_at IS NOT NULL OR NOT CASE j.command WHEN 'START' THEN m.status IN ('READY') WHEN 'STOP' THEN true END) THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'reject' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'hold' END WHEN CASE j.command WHEN 'START' THEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'stale' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'remote_off' END WHEN CASE j.command WHEN 'START' THEN NOT (requester.is_active AND requester.is_key_valid AND CASE WHEN (requester.key_machine_id <> m.id
    OR requester.key_site_id IS NOT NULL AND requester.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN requester.is_staff OR m.owner_id = requester.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = requester.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'forbid' END WHEN m.controller_url IS NULL THEN 'fetch' WHEN j.next_attempt_at > statement_start THEN 'delay' WHEN true THEN 'send' END AS step
      FROM 
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true JOIN accounts owner ON owner.id = m.owner_id WHERE j.id = $2::uuid
    ), ends (step, state, result, reason, is_machine_in_error) AS (VALUES ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false), ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false), ('stale', 'REJECTED', 'INVALIDCOMMAND', 'stale', false), ('remote_off', 'REJECTED', 'INVALIDCOMMAND', 'remote_disabled', false), ('hold', 'REJECTED', 'INVALIDCOMMAND', 'held', false), ('forbid', 'REJECTED', 'PERMISSIONDENIED', 'not_allowed', false), ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true), ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true), ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true)),
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = statement_start,
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'queue', reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = ended.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    started AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, may_have_executed = true,
        sent_at = coalesce(jobs.sent_at, statement_start), version = jobs.version + 1,
        next_attempt_at = statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts + 1, 7)]), due_at = greatest(least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts + 1, 7)]) + interval '30 seconds', jobs.not_after), statement_start + interval '20 seconds'),
        published_at = coalesce(jobs.published_at, CASE WHEN $3::boolean THEN statement_start END)
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    started_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, statement_start, attempts, 'queue' FROM started
    ),
    leased AS (
      UPDATE machines SET leased_by = started.id || ':' || started.attempts,
        leased_until = statement_start + interval '20 seconds'
      FROM started WHERE machines.id = started.machine_id
      RETURNING machines.id, machines.site_id
    ),
    changed AS (
      SELECT started.id, started.machine_id, started.machine_owner_id, started.command, started.sequence, started.state, started.result, started.reason, started.detail, started.attempts, started.requested_by, started.key_id, started.requested_at, started.not_after, started.sent_at, started.finished_at, started.confirmed_at, started.version, leased.site_id, NULL::bigint AS revision
      FROM started JOIN leased ON leased.id = started.machine_id
      UNION ALL 
  SELECT ended.id, ended.machine_id, ended.machine_owner_id, ended.command, ended.sequence, ended.state, ended.result, ended.reason, ended.detail, ended.attempts, ended.requested_by, ended.key_id, ended.requested_at, ended.not_after, ended.sent_at, ended.finished_at, ended.confirmed_at, ended.version, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id
    ),
    current_job AS (SELECT * FROM changed UNION ALL SELECT due.id, due.machine_id, due.machine_owner_id, due.command, due.sequence, due.state, due.result, due.reason, due.detail, due.attempts, due.requested_by, due.key_id, due.requested_at, due.not_after, due.sent_at, due.finished_at, due.confirmed_at, due.version, NULL, NULL FROM due)
    SELECT current_job.*, due.step, due.controller_url, due.is_controller_confirmed, due.owner,
      due.may_have_executed AS may_have_executed_before, due.lease_remaining_seconds, due.delay_seconds,
      extract(epoch FROM due.not_after - statement_start)::float8 AS time_left_seconds
    FROM current_job, due ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.settle_a68ed150f1c0(uuid, text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean, integer, text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "is_changed" boolean, "effect" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  PERFORM m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = $1::uuid
    FOR NO KEY UPDATE OF m;
  statement_start := clock_timestamp();
  RETURN QUERY WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $2 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $3::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $4
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $5 THEN 'end' WHEN state = $6 THEN 'end' WHEN state = $7 THEN 'end' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $8::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $9::boolean THEN 'note_late_answer' WHEN $10::boolean AND result <> $11 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN $12 ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $13 ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN $14 ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $15 ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN statement_start ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN statement_start ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN $16::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN statement_start + interval '600 seconds'
          WHEN 'fail_attempt' THEN CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts, 7)]) + interval '30 seconds', jobs.not_after) END ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, statement_start, $17::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN $18 ELSE $19 END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN CASE j.command WHEN 'START' THEN 'RUNNING' WHEN 'STOP' THEN 'READY' END
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN CASE j.command WHEN 'START' THEN coalesce(fresh, 'ERROR') WHEN 'STOP' THEN NULL END
    WHEN fresh = 'RUNNING' THEN fresh ELSE CASE j.command WHEN 'START' THEN 'RUNNING' WHEN 'STOP' THEN 'READY' END END END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = j.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version FROM changed UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'retry'
      WHEN current_job.state IN ('PENDING') THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.settle_43639edca77e(text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean, integer, text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "is_changed" boolean, "effect" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $1 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $2::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $3
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $4 THEN 'end' WHEN state = $5 THEN 'end' WHEN state = $6 THEN 'end' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $7::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $8::boolean THEN 'note_late_answer' WHEN $9::boolean AND result <> $10 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    )
    SELECT m.id FROM machines m, target, decision WHERE m.id = target.machine_id AND NOT decision.changes_nothing
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $11 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $12::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $13
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $14 THEN 'end' WHEN state = $15 THEN 'end' WHEN state = $16 THEN 'end' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $17::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $18::boolean THEN 'note_late_answer' WHEN $19::boolean AND result <> $20 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN $21 ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $22 ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN $23 ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $24 ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN statement_start ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN statement_start ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN $25::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN statement_start + interval '600 seconds'
          WHEN 'fail_attempt' THEN CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts, 7)]) + interval '30 seconds', jobs.not_after) END ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, statement_start, $26::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN $27 ELSE $28 END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN CASE j.command WHEN 'START' THEN 'RUNNING' WHEN 'STOP' THEN 'READY' END
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN CASE j.command WHEN 'START' THEN coalesce(fresh, 'ERROR') WHEN 'STOP' THEN NULL END
    WHEN fresh = 'RUNNING' THEN fresh ELSE CASE j.command WHEN 'START' THEN 'RUNNING' WHEN 'STOP' THEN 'READY' END END END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = j.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version FROM changed UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'retry'
      WHEN current_job.state IN ('PENDING') THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.settle_6c0e2dae54ef(uuid, text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean, integer, text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "is_changed" boolean, "effect" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  PERFORM m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = $1::uuid
    FOR NO KEY UPDATE OF m;
  statement_start := clock_timestamp();
  RETURN QUERY WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $2 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $3::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $4
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $5 THEN 'end' WHEN state = $6 THEN 'end' WHEN state = $7 THEN 'end' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $8::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $9::boolean THEN 'note_late_answer' WHEN $10::boolean AND result <> $11 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN $12 ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $13 ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN $14 ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $15 ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN statement_start ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN statement_start ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN $16::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN statement_start + interval '600 seconds'
          WHEN 'fail_attempt' THEN CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts, 7)]) + interval '30 seconds', jobs.not_after) END ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, statement_start, $17::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN $18 ELSE $19 END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN coalesce(fresh, 'ERROR')
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN NULL
    WHEN fresh = 'RUNNING' THEN fresh ELSE coalesce(fresh, 'ERROR') END END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = j.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version FROM changed UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'retry'
      WHEN current_job.state IN ('PENDING') THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.settle_ae278f4320b5(text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean, integer, text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "is_changed" boolean, "effect" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $1 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $2::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $3
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $4 THEN 'end' WHEN state = $5 THEN 'end' WHEN state = $6 THEN 'end' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $7::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $8::boolean THEN 'note_late_answer' WHEN $9::boolean AND result <> $10 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    )
    SELECT m.id FROM machines m, target, decision WHERE m.id = target.machine_id AND NOT decision.changes_nothing
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $11 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $12::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $13
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $14 THEN 'end' WHEN state = $15 THEN 'end' WHEN state = $16 THEN 'end' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $17::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $18::boolean THEN 'note_late_answer' WHEN $19::boolean AND result <> $20 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN $21 ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $22 ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN $23 ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $24 ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN statement_start ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN statement_start ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN $25::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN statement_start + interval '600 seconds'
          WHEN 'fail_attempt' THEN CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts, 7)]) + interval '30 seconds', jobs.not_after) END ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, statement_start, $26::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN $27 ELSE $28 END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN coalesce(fresh, 'ERROR')
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN NULL
    WHEN fresh = 'RUNNING' THEN fresh ELSE coalesce(fresh, 'ERROR') END END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = j.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version FROM changed UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'retry'
      WHEN current_job.state IN ('PENDING') THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.settle_b19ccddc3a9b(uuid, text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean, integer, text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "is_changed" boolean, "effect" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  PERFORM m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = $1::uuid
    FOR NO KEY UPDATE OF m;
  statement_start := clock_timestamp();
  RETURN QUERY WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $2 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $3::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $4
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $5 THEN 'accept' WHEN state = $6 THEN 'accept' WHEN state = $7 THEN 'ignore' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $8::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $9::boolean THEN 'note_late_answer' WHEN $10::boolean AND result <> $11 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN $12 ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $13 ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN $14 ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $15 ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN statement_start ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN statement_start ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN $16::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN statement_start + interval '600 seconds'
          WHEN 'fail_attempt' THEN CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts, 7)]) + interval '30 seconds', jobs.not_after) END ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, statement_start, $17::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN $18 ELSE $19 END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN 'PENDING'
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN NULL
    WHEN fresh = 'RUNNING' THEN fresh ELSE 'PENDING' END END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = j.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version FROM changed UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'retry'
      WHEN current_job.state IN ('PENDING') THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.settle_3514e5feea07(text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, uuid, text, text, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean, integer, text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "is_changed" boolean, "effect" text) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  FOR ignored IN WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $1 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $2::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $3
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $4 THEN 'accept' WHEN state = $5 THEN 'accept' WHEN state = $6 THEN 'ignore' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $7::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $8::boolean THEN 'note_late_answer' WHEN $9::boolean AND result <> $10 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    )
    SELECT m.id FROM machines m, target, decision WHERE m.id = target.machine_id AND NOT decision.changes_nothing
    FOR NO KEY UPDATE OF m
  LOOP END LOOP;
  statement_start := clock_timestamp();
  RETURN QUERY WITH 
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = $11 OR m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = $12::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = $13
      ) AS changes_nothing
      FROM (SELECT target.id, CASE WHEN state = $14 THEN 'accept' WHEN state = $15 THEN 'accept' WHEN state = $16 THEN 'ignore' WHEN state IN ('QUEUED', 'SENT', 'PENDING') THEN 'ignore' WHEN result = 'INTERNALFAILED' AND $17::boolean THEN 'end_late' WHEN state = 'SUPERSEDED' AND $18::boolean THEN 'note_late_answer' WHEN $19::boolean AND result <> $20 THEN 'note_contradiction' WHEN true THEN 'ignore' END AS decision FROM target) decided
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN $21 ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $22 ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN $23 ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN $24 ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN statement_start ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN statement_start ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN $25::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN statement_start + interval '600 seconds'
          WHEN 'fail_attempt' THEN CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE least(statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts, 7)]) + interval '30 seconds', jobs.not_after) END ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, statement_start, $26::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN $27 ELSE $28 END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN 'PENDING'
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN NULL
    WHEN fresh = 'RUNNING' THEN fresh ELSE 'PENDING' END END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = j.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version FROM changed UNION ALL SELECT target.id, target.machine_id, target.machine_owner_id, target.command, target.sequence, target.state, target.result, target.reason, target.detail, target.attempts, target.requested_by, target.key_id, target.requested_at, target.not_after, target.sent_at, target.finished_at, target.confirmed_at, target.version FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'retry'
      WHEN current_job.state IN ('PENDING') THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.redispatch_job_fd29fc89717c(uuid, uuid)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "step" text, "publish_no" integer, "delay_seconds" double precision, "lease_remaining_seconds" double precision) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  PERFORM m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = $1::uuid
    FOR NO KEY UPDATE OF m;
  statement_start := clock_timestamp();
  RETURN QUERY WITH due AS (
    SELECT j.*, 
  extract(epoch FROM m.leased_until - statement_start)::float8 AS lease_remaining_seconds,
  greatest(extract(epoch FROM j.next_attempt_at - statement_start), 0)::float8 AS delay_seconds, CASE WHEN j.state IN ('PENDING') AND j.pending_since + interval '600 seconds' <= statement_start THEN 'time_out' WHEN j.state IN ('PENDING') THEN 'wait' WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL WHEN m.leased_until > statement_start THEN 'leased' WHEN j.attempts >= CASE j.command WHEN 'START' THEN 4 WHEN 'STOP' THEN NULL END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'fail_unreachable' END WHEN j.not_after <= statement_start THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'expire' END WHEN (m.deleted_at IS NOT NULL OR NOT CASE j.command WHEN 'START' THEN m.status IN ('READY') WHEN 'STOP' THEN true END) THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'reject' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'hold' END WHEN CASE j.command WHEN 'START' THEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'stale' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'remote_off' END WHEN CASE j.command WHEN 'START' THEN NOT (requester.is_active AND requester.is_key_valid AND CASE WHEN (requester.key_machine_id <> m.id
    OR requester.key_site_id IS NOT NULL AND requester.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN requester.is_staff OR m.owner_id = requester.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = requester.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'forbid' END WHEN m.controller_url IS NULL THEN 'fetch' WHEN j.next_attempt_at > statement_start THEN 'delay' WHEN true THEN 'send' END AS step FROM 
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true WHERE j.id = $2::uuid ), ends (step, state, result, reason, is_machine_in_error) AS (VALUES ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false), ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false), ('stale', 'REJECTED', 'INVALIDCOMMAND', 'stale', false), ('remote_off', 'REJECTED', 'INVALIDCOMMAND', 'remote_disabled', false), ('hold', 'REJECTED', 'INVALIDCOMMAND', 'held', false), ('forbid', 'REJECTED', 'PERMISSIONDENIED', 'not_allowed', false), ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true), ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true), ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true)),
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = statement_start,
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'queue', reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = ended.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    published AS (
      UPDATE jobs SET publish_no = jobs.publish_no + 1, published_at = statement_start,
        due_at = least(statement_start + make_interval(secs => coalesce(due.delay_seconds, 0)) + interval '30 seconds', jobs.not_after)
      FROM due WHERE jobs.id = due.id AND due.step IN ('send', 'delay')
        AND jobs.version = due.version AND jobs.publish_no = due.publish_no
      RETURNING jobs.*, due.delay_seconds
    ),
    postponed AS (
      UPDATE jobs SET due_at = CASE WHEN due.step = 'fetch' THEN jobs.not_after
        ELSE statement_start + make_interval(secs => greatest(due.lease_remaining_seconds, 1)) END
      FROM due WHERE jobs.id = due.id AND due.step IN ('leased', 'wait', 'fetch') AND jobs.due_at <= statement_start
    )
    SELECT due.id, due.machine_id, due.machine_owner_id, due.command, due.sequence, due.state, due.result, due.reason, due.detail, due.attempts, due.requested_by, due.key_id, due.requested_at, due.not_after, due.sent_at, due.finished_at, due.confirmed_at, due.version, NULL::bigint AS site_id, NULL::bigint AS revision, due.step, NULL::int AS publish_no, NULL::float8 AS delay_seconds,
      due.lease_remaining_seconds
    FROM due WHERE due.step IS NULL OR due.step IN ('wait', 'leased', 'fetch')
    UNION ALL SELECT changed.*, 'ended', NULL, NULL, NULL FROM (
  SELECT ended.id, ended.machine_id, ended.machine_owner_id, ended.command, ended.sequence, ended.state, ended.result, ended.reason, ended.detail, ended.attempts, ended.requested_by, ended.key_id, ended.requested_at, ended.not_after, ended.sent_at, ended.finished_at, ended.confirmed_at, ended.version, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id) changed
    UNION ALL SELECT published.id, published.machine_id, published.machine_owner_id, published.command, published.sequence, published.state, published.result, published.reason, published.detail, published.attempts, published.requested_by, published.key_id, published.requested_at, published.not_after, published.sent_at, published.finished_at, published.confirmed_at, published.version, NULL, NULL, 'publish', publish_no, delay_seconds, NULL FROM published;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.redispatch_due_jobs_db6a901dffee(text, text)
RETURNS TABLE ("id" uuid, "machine_id" bigint, "machine_owner_id" bigint, "command" text, "sequence" bigint, "state" text, "result" text, "reason" text, "detail" text, "attempts" integer, "requested_by" bigint, "key_id" uuid, "requested_at" timestamp with time zone, "not_after" timestamp with time zone, "sent_at" timestamp with time zone, "finished_at" timestamp with time zone, "confirmed_at" timestamp with time zone, "version" integer, "site_id" bigint, "revision" bigint, "step" text, "publish_no" integer, "delay_seconds" double precision, "lease_remaining_seconds" double precision) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  RETURN QUERY WITH due AS (
    SELECT j.*, 
  extract(epoch FROM m.leased_until - statement_start)::float8 AS lease_remaining_seconds,
  greatest(extract(epoch FROM j.next_attempt_at - statement_start), 0)::float8 AS delay_seconds, CASE WHEN j.state IN ('PENDING') AND j.pending_since + interval '600 seconds' <= statement_start THEN 'time_out' WHEN j.state IN ('PENDING') THEN 'wait' WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL WHEN m.leased_until > statement_start THEN 'leased' WHEN j.attempts >= CASE j.command WHEN 'START' THEN 4 WHEN 'STOP' THEN NULL END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'fail_unreachable' END WHEN j.not_after <= statement_start THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'expire' END WHEN (m.deleted_at IS NOT NULL OR NOT CASE j.command WHEN 'START' THEN m.status IN ('READY') WHEN 'STOP' THEN true END) THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'reject' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'hold' END WHEN CASE j.command WHEN 'START' THEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'stale' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'remote_off' END WHEN CASE j.command WHEN 'START' THEN NOT (requester.is_active AND requester.is_key_valid AND CASE WHEN (requester.key_machine_id <> m.id
    OR requester.key_site_id IS NOT NULL AND requester.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN requester.is_staff OR m.owner_id = requester.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = requester.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'forbid' END WHEN m.controller_url IS NULL THEN 'fetch' WHEN j.next_attempt_at > statement_start THEN 'delay' WHEN true THEN 'send' END AS step
    FROM 
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true
    WHERE j.id = ANY (ARRAY(SELECT id FROM (
      (SELECT id FROM jobs WHERE command = $1 AND state IN ('QUEUED', 'SENT', 'PENDING') AND due_at > '-infinity' AND due_at <= statement_start
        ORDER BY due_at LIMIT 100) UNION ALL 
      (SELECT id FROM jobs WHERE command = $2 AND state IN ('QUEUED', 'SENT', 'PENDING') AND due_at > '-infinity' AND due_at <= statement_start
        ORDER BY due_at LIMIT 100)) ranges LIMIT 100))
      AND j.due_at <= statement_start
    FOR NO KEY UPDATE OF m SKIP LOCKED), ends (step, state, result, reason, is_machine_in_error) AS (VALUES ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false), ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false), ('stale', 'REJECTED', 'INVALIDCOMMAND', 'stale', false), ('remote_off', 'REJECTED', 'INVALIDCOMMAND', 'remote_disabled', false), ('hold', 'REJECTED', 'INVALIDCOMMAND', 'held', false), ('forbid', 'REJECTED', 'PERMISSIONDENIED', 'not_allowed', false), ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true), ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true), ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true)),
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = statement_start,
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'sweep', reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = ended.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    published AS (
      UPDATE jobs SET publish_no = jobs.publish_no + 1, published_at = statement_start,
        due_at = least(statement_start + make_interval(secs => coalesce(due.delay_seconds, 0)) + interval '30 seconds', jobs.not_after)
      FROM due WHERE jobs.id = due.id AND due.step IN ('send', 'delay')
        AND jobs.version = due.version AND jobs.publish_no = due.publish_no
      RETURNING jobs.*, due.delay_seconds
    ),
    postponed AS (
      UPDATE jobs SET due_at = CASE WHEN due.step = 'fetch' THEN jobs.not_after
        ELSE statement_start + make_interval(secs => greatest(due.lease_remaining_seconds, 1)) END
      FROM due WHERE jobs.id = due.id AND due.step IN ('leased', 'wait', 'fetch') AND jobs.due_at <= statement_start
    )
    SELECT due.id, due.machine_id, due.machine_owner_id, due.command, due.sequence, due.state, due.result, due.reason, due.detail, due.attempts, due.requested_by, due.key_id, due.requested_at, due.not_after, due.sent_at, due.finished_at, due.confirmed_at, due.version, NULL::bigint AS site_id, NULL::bigint AS revision, due.step, NULL::int AS publish_no, NULL::float8 AS delay_seconds,
      due.lease_remaining_seconds
    FROM due WHERE due.step IS NULL OR due.step IN ('wait', 'leased', 'fetch')
    UNION ALL SELECT changed.*, 'ended', NULL, NULL, NULL FROM (
  SELECT ended.id, ended.machine_id, ended.machine_owner_id, ended.command, ended.sequence, ended.state, ended.result, ended.reason, ended.detail, ended.attempts, ended.requested_by, ended.key_id, ended.requested_at, ended.not_after, ended.sent_at, ended.finished_at, ended.confirmed_at, ended.version, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id) changed
    UNION ALL SELECT published.id, published.machine_id, published.machine_owner_id, published.command, published.sequence, published.state, published.result, published.reason, published.detail, published.attempts, published.requested_by, published.key_id, published.requested_at, published.not_after, published.sent_at, published.finished_at, published.confirmed_at, published.version, NULL, NULL, 'publish', publish_no, delay_seconds, NULL FROM published;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.refresh_reports_c36daeb7a21e(uuid, text, text[], bigint, text, bigint, text, text, boolean, bigint, integer, text, text, integer, uuid, bigint)
RETURNS TABLE ("machine_id" bigint, "holds" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS MATERIALIZED (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active)
    UPDATE machine_reports r SET seq = input.seq, at = statement_timestamp(), cycles = input.cycles, last_cycle_ms = input.last_cycle_ms
    FROM (SELECT $4::bigint AS machine_id, $5::text AS boot_id, $6::bigint AS seq, $7::text AS status, $8::text AS mode, $9::boolean AS remote_enabled, $10::bigint AS cycles, $11::integer AS last_cycle_ms, $12::text AS alarm_code, $13::text AS alarm_text, $14::integer AS interval_seconds, $15::uuid AS outcome_job_id) input, caller, machines m, (SELECT set_config('synchronous_commit', 'off', true)) asynchronous_commit
    WHERE m.id = input.machine_id AND m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($16::bigint, m.site_id) AND r.machine_id = m.id
      AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
      AND r.boot_id = input.boot_id AND r.seq < input.seq AND r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds) AND input.outcome_job_id IS NULL
      AND m.last_sequence = m.confirmed_sequence AND m.status = input.status AND m.status_source = 'report'
      AND (r.status, r.mode, r.remote_enabled, r.alarm_code, r.alarm_text, r.interval_seconds) IS NOT DISTINCT FROM (input.status, input.mode, input.remote_enabled, input.alarm_code, input.alarm_text, input.interval_seconds)
    RETURNING r.machine_id, (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = r.machine_id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) AS holds;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.refresh_reports_7d1d0a5d139a(uuid, text, text[], jsonb, bigint)
RETURNS TABLE ("machine_id" bigint, "holds" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS MATERIALIZED (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active)
    UPDATE machine_reports r SET seq = input.seq, at = statement_timestamp(), cycles = input.cycles, last_cycle_ms = input.last_cycle_ms
    FROM (SELECT * FROM jsonb_to_recordset($4::jsonb) AS input (machine_id bigint, boot_id text, seq bigint, status text, mode text, remote_enabled boolean, cycles bigint, last_cycle_ms integer, alarm_code text, alarm_text text, interval_seconds integer, outcome_job_id uuid)) input, caller, machines m, (SELECT set_config('synchronous_commit', 'off', true)) asynchronous_commit
    WHERE m.id = input.machine_id AND m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($5::bigint, m.site_id) AND r.machine_id = m.id
      AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
      AND r.boot_id = input.boot_id AND r.seq < input.seq AND r.at > statement_timestamp() - make_interval(secs => 3 * r.interval_seconds) AND input.outcome_job_id IS NULL
      AND m.last_sequence = m.confirmed_sequence AND m.status = input.status AND m.status_source = 'report'
      AND (r.status, r.mode, r.remote_enabled, r.alarm_code, r.alarm_text, r.interval_seconds) IS NOT DISTINCT FROM (input.status, input.mode, input.remote_enabled, input.alarm_code, input.alarm_text, input.interval_seconds)
    RETURNING r.machine_id, (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = r.machine_id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) AS holds;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.store_reports_all_d9535d60ca4f(uuid, text, text[], bigint[], uuid, text, text[], bigint, text, bigint, text, text, boolean, bigint, integer, text, text, integer, uuid, bigint, bigint, bigint, uuid, text, text[], bigint, text, bigint, text, text, boolean, bigint, integer, text, text, integer, uuid, bigint, uuid, text, text[], bigint[], text[], bigint[])
RETURNS TABLE ("statement" integer, "0.id" bigint, "1.machine_id" bigint, "1.site_refusal" text, "1.refusal" text, "1.holds" jsonb, "1.is_outcome_known" boolean, "2.id" uuid, "2.machine_id" bigint, "2.machine_owner_id" bigint, "2.command" text, "2.sequence" bigint, "2.state" text, "2.result" text, "2.reason" text, "2.detail" text, "2.attempts" integer, "2.requested_by" bigint, "2.key_id" uuid, "2.requested_at" timestamp with time zone, "2.not_after" timestamp with time zone, "2.sent_at" timestamp with time zone, "2.finished_at" timestamp with time zone, "2.confirmed_at" timestamp with time zone, "2.version" integer, "2.changed_machine_id" bigint, "2.owner_id" bigint, "2.site_id" bigint, "2.revision" bigint, "3.machine_id" bigint, "3.is_open" boolean, "3.command" jsonb, "3.changed" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  statement := 0;
  FOR "0.id" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = ANY ($4::bigint[])
      AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    ORDER BY m.id FOR NO KEY UPDATE OF m
  LOOP RETURN NEXT; END LOOP;
  "0.id" := NULL;
  statement_start := clock_timestamp();
  statement := 1;
  FOR "1.machine_id", "1.site_refusal", "1.refusal", "1.holds", "1.is_outcome_known" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    input AS MATERIALIZED (SELECT $8::bigint AS machine_id, $9::text AS boot_id, $10::bigint AS seq, $11::text AS status, $12::text AS mode, $13::boolean AS remote_enabled, $14::bigint AS cycles, $15::integer AS last_cycle_ms, $16::text AS alarm_code, $17::text AS alarm_text, $18::integer AS interval_seconds, $19::uuid AS outcome_job_id),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($20::bigint, m.site_id)
    ), site AS (
      SELECT s.id, CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), -1) END AS level FROM caller, sites s
      WHERE s.id = $21::bigint AND s.deleted_at IS NULL
    )
    SELECT input.machine_id,
      CASE WHEN $22::bigint IS NOT NULL THEN CASE WHEN site.id IS NULL OR site.level < 0 THEN 'not_found' WHEN site.level = 0 THEN 'not_owner' WHEN site.level < 3 THEN 'role_too_low' END END AS site_refusal,
      CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 3 THEN 'role_too_low' END AS refusal, (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) AS holds,
      EXISTS (SELECT FROM jobs j WHERE j.id = input.outcome_job_id AND j.machine_id = machine.id) AS is_outcome_known
    FROM caller LEFT JOIN site ON true LEFT JOIN input ON true LEFT JOIN machine ON machine.id = input.machine_id
  LOOP RETURN NEXT; END LOOP;
  "1.machine_id" := NULL;
  "1.site_refusal" := NULL;
  "1.refusal" := NULL;
  "1.holds" := NULL;
  "1.is_outcome_known" := NULL;
  statement_start := clock_timestamp();
  statement := 2;
  FOR "2.id", "2.machine_id", "2.machine_owner_id", "2.command", "2.sequence", "2.state", "2.result", "2.reason", "2.detail", "2.attempts", "2.requested_by", "2.key_id", "2.requested_at", "2.not_after", "2.sent_at", "2.finished_at", "2.confirmed_at", "2.version", "2.changed_machine_id", "2.owner_id", "2.site_id", "2.revision" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $23::uuid AND k.secret_hash = $24 AND k.scopes && $25::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    input AS MATERIALIZED (SELECT $26::bigint AS machine_id, $27::text AS boot_id, $28::bigint AS seq, $29::text AS status, $30::text AS mode, $31::boolean AS remote_enabled, $32::bigint AS cycles, $33::integer AS last_cycle_ms, $34::text AS alarm_code, $35::text AS alarm_text, $36::integer AS interval_seconds, $37::uuid AS outcome_job_id),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($38::bigint, m.site_id)
    ),
    accepted AS (
      SELECT input.*, (r.status, r.mode, r.remote_enabled, r.alarm_code, r.alarm_text, r.interval_seconds) IS DISTINCT FROM (input.status, input.mode, input.remote_enabled, input.alarm_code, input.alarm_text, input.interval_seconds) AS is_changed,
        r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) IS NOT TRUE AS was_stale
      FROM input JOIN machine ON machine.id = input.machine_id AND machine.level >= 3
        LEFT JOIN machine_reports r ON r.machine_id = machine.id
      WHERE r.machine_id IS NULL OR (r.boot_id = input.boot_id AND r.seq < input.seq)
        OR (r.boot_id <> input.boot_id AND r.previous_boot_id IS DISTINCT FROM input.boot_id)
    ),
    stored AS (
      INSERT INTO machine_reports AS r (machine_id, at, boot_id, seq, status, mode, remote_enabled, alarm_code, alarm_text, interval_seconds, cycles, last_cycle_ms)
      SELECT machine_id, statement_start, boot_id, seq, status, mode, remote_enabled, alarm_code, alarm_text, interval_seconds, cycles, last_cycle_ms FROM accepted
      ON CONFLICT (machine_id) DO UPDATE SET at = excluded.at, boot_id = excluded.boot_id, seq = excluded.seq, status = excluded.status, mode = excluded.mode, remote_enabled = excluded.remote_enabled, alarm_code = excluded.alarm_code, alarm_text = excluded.alarm_text, interval_seconds = excluded.interval_seconds, cycles = excluded.cycles, last_cycle_ms = excluded.last_cycle_ms,
        previous_boot_id = CASE WHEN r.boot_id = excluded.boot_id THEN r.previous_boot_id ELSE r.boot_id END
      WHERE r.boot_id <> excluded.boot_id OR r.seq < excluded.seq
      RETURNING r.machine_id, r.status
    ),
    newest AS (
      SELECT DISTINCT ON (j.machine_id) j.*, stored.status AS reported
      FROM stored JOIN machine ON machine.id = stored.machine_id
        JOIN jobs j ON j.machine_id = machine.id AND j.requested_at > statement_start - interval '1 hour'
      WHERE j.sequence > machine.confirmed_sequence AND j.sent_at IS NOT NULL
      ORDER BY j.machine_id, j.sequence DESC
    ),
    affected AS (SELECT j.*, CASE WHEN j.state IN ('QUEUED', 'SENT', 'PENDING') AND CASE j.command WHEN 'START' THEN j.reported IN ('RUNNING') WHEN 'STOP' THEN j.reported IN ('POWEROFF', 'READY', 'PENDING', 'ERROR') END AND j.confirmed_at IS NULL THEN 'confirm' WHEN j.state IN ('QUEUED', 'SENT', 'PENDING') THEN 'await' WHEN j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND CASE j.command WHEN 'START' THEN j.reported IN ('RUNNING') WHEN 'STOP' THEN j.reported IN ('POWEROFF', 'READY', 'PENDING', 'ERROR') END THEN 'confirm' WHEN j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND j.finished_at > statement_start - interval '60 seconds' THEN 'await' WHEN j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL THEN 'note_unconfirmed' WHEN (j.result = 'INTERNALFAILED' AND j.reason <> 'unreachable') AND (CASE j.command WHEN 'START' THEN j.reported IN ('RUNNING') WHEN 'STOP' THEN j.reported IN ('POWEROFF', 'READY', 'PENDING', 'ERROR') END OR CASE j.command WHEN 'START' THEN j.confirmed_at IS NOT NULL WHEN 'STOP' THEN false END) THEN 'settle' WHEN (j.result = 'INTERNALFAILED' AND j.reason <> 'unreachable') AND j.finished_at > statement_start - interval '600 seconds' THEN 'await' END AS effect FROM newest j),
    changed AS (
      UPDATE jobs SET version = jobs.version + 1,
        confirmed_at = CASE WHEN effect = 'note_unconfirmed' THEN NULL ELSE coalesce(jobs.confirmed_at, statement_start) END,
        state = CASE WHEN effect = 'settle' THEN 'SUCCEEDED' ELSE jobs.state END,
        result = CASE WHEN effect = 'settle' THEN 'SUCCESS' ELSE jobs.result END,
        reason = CASE WHEN effect = 'settle' THEN NULL ELSE jobs.reason END,
        finished_at = CASE WHEN effect = 'settle' THEN statement_start ELSE jobs.finished_at END
      FROM affected WHERE jobs.id = affected.id AND effect IN ('confirm', 'settle', 'note_unconfirmed')
      RETURNING jobs.*, effect
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'machine',
        CASE WHEN effect = 'note_unconfirmed' THEN 'unconfirmed' ELSE 'confirmed' END
      FROM changed
    ),
    machines_of_stored AS (
      UPDATE machines m SET status = after.status, status_source = 'report',
        status_at = CASE WHEN m.status = after.status THEN m.status_at ELSE statement_start END,
        updated_at = CASE WHEN after.is_changed THEN statement_start ELSE m.updated_at END,
        revision = m.revision + CASE WHEN after.is_changed THEN 1 ELSE 0 END,
        confirmed_sequence = least(m.last_sequence, after.first_open - 1, after.first_awaited - 1)
      FROM (
        SELECT stored.machine_id, stored.status, awaited.first_awaited, accepted.was_stale,
          accepted.is_changed OR machine.status <> stored.status OR machine.status_source <> 'report' AS is_changed,
          (SELECT min(sequence) FROM jobs j WHERE j.machine_id = stored.machine_id AND j.state IN ('QUEUED', 'SENT', 'PENDING')) AS first_open
        FROM stored JOIN accepted ON accepted.machine_id = stored.machine_id
          JOIN machine ON machine.id = stored.machine_id
          LEFT JOIN LATERAL (
            SELECT sequence AS first_awaited FROM affected
            WHERE affected.machine_id = stored.machine_id AND effect = 'await'
          ) awaited ON true
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.owner_id, m.site_id, CASE WHEN after.is_changed OR after.was_stale THEN m.revision END AS revision
    )
    SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version, m.id AS changed_machine_id, m.owner_id, m.site_id, m.revision
    FROM machines_of_stored m LEFT JOIN changed ON changed.machine_id = m.id
    WHERE m.revision IS NOT NULL OR changed.id IS NOT NULL
  LOOP RETURN NEXT; END LOOP;
  "2.id" := NULL;
  "2.machine_id" := NULL;
  "2.machine_owner_id" := NULL;
  "2.command" := NULL;
  "2.sequence" := NULL;
  "2.state" := NULL;
  "2.result" := NULL;
  "2.reason" := NULL;
  "2.detail" := NULL;
  "2.attempts" := NULL;
  "2.requested_by" := NULL;
  "2.key_id" := NULL;
  "2.requested_at" := NULL;
  "2.not_after" := NULL;
  "2.sent_at" := NULL;
  "2.finished_at" := NULL;
  "2.confirmed_at" := NULL;
  "2.version" := NULL;
  "2.changed_machine_id" := NULL;
  "2.owner_id" := NULL;
  "2.site_id" := NULL;
  "2.revision" := NULL;
  statement_start := clock_timestamp();
  statement := 3;
  FOR "3.machine_id", "3.is_open", "3.command", "3.changed" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $39::uuid AND k.secret_hash = $40 AND k.scopes && $41::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    asking AS (SELECT * FROM unnest($42::bigint[], $43::text[], $44::bigint[])
      AS asking (machine_id, boot_id, seq)),
    due AS (
      SELECT j.*, CASE WHEN j.state IN ('PENDING') AND j.pending_since + interval '600 seconds' <= statement_start THEN 'time_out' WHEN j.state IN ('PENDING') THEN 'wait' WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL WHEN m.leased_until > statement_start AND NOT CASE j.command WHEN 'START' THEN false WHEN 'STOP' THEN true END THEN 'leased' WHEN j.attempts >= CASE j.command WHEN 'START' THEN 4 WHEN 'STOP' THEN NULL END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'fail_unreachable' END WHEN j.not_after <= statement_start THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'expire' END WHEN (m.deleted_at IS NOT NULL OR NOT CASE j.command WHEN 'START' THEN m.status IN ('READY') WHEN 'STOP' THEN true END) THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'reject' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'hold' END WHEN CASE j.command WHEN 'START' THEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'stale' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'remote_off' END WHEN CASE j.command WHEN 'START' THEN NOT (requester.is_active AND requester.is_key_valid AND CASE WHEN (requester.key_machine_id <> m.id
    OR requester.key_site_id IS NOT NULL AND requester.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN requester.is_staff OR m.owner_id = requester.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = requester.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'forbid' END WHEN false THEN 'fetch' WHEN j.next_attempt_at > statement_start THEN 'delay' WHEN true THEN 'send' END AS step FROM caller, 
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true JOIN asking ON asking.machine_id = m.id
      WHERE j.state IN ('QUEUED', 'SENT', 'PENDING') AND m.controller_url IS NULL
        AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3 AND EXISTS (SELECT FROM machine_reports r
          WHERE r.machine_id = m.id AND r.boot_id = asking.boot_id AND r.seq = asking.seq
            AND r.at >= now())
    ), ends (step, state, result, reason, is_machine_in_error) AS (VALUES ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false), ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false), ('stale', 'REJECTED', 'INVALIDCOMMAND', 'stale', false), ('remote_off', 'REJECTED', 'INVALIDCOMMAND', 'remote_disabled', false), ('hold', 'REJECTED', 'INVALIDCOMMAND', 'held', false), ('forbid', 'REJECTED', 'PERMISSIONDENIED', 'not_allowed', false), ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true), ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true), ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true)),
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = statement_start,
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'machine', reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = ended.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    started AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, may_have_executed = true,
        sent_at = coalesce(jobs.sent_at, statement_start), version = jobs.version + 1,
        next_attempt_at = statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts + 1, 7)]), due_at = greatest(jobs.not_after, statement_start + interval '20 seconds'),
        published_at = coalesce(jobs.published_at, CASE WHEN false THEN statement_start END)
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    started_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, statement_start, attempts, 'machine' FROM started
    ),
    leased AS (
      UPDATE machines SET leased_by = started.id || ':' || started.attempts,
        leased_until = statement_start + interval '20 seconds'
      FROM started WHERE machines.id = started.machine_id
      RETURNING machines.id, machines.site_id
    ),
    changed AS (
      SELECT started.id, started.machine_id, started.machine_owner_id, started.command, started.sequence, started.state, started.result, started.reason, started.detail, started.attempts, started.requested_by, started.key_id, started.requested_at, started.not_after, started.sent_at, started.finished_at, started.confirmed_at, started.version, leased.site_id, NULL::bigint AS revision
      FROM started JOIN leased ON leased.id = started.machine_id
      UNION ALL 
  SELECT ended.id, ended.machine_id, ended.machine_owner_id, ended.command, ended.sequence, ended.state, ended.result, ended.reason, ended.detail, ended.attempts, ended.requested_by, ended.key_id, ended.requested_at, ended.not_after, ended.sent_at, ended.finished_at, ended.confirmed_at, ended.version, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id
    )
    SELECT asking.machine_id, EXISTS (
        SELECT FROM jobs j WHERE j.machine_id = asking.machine_id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
      ) AS is_open, (SELECT to_jsonb(started) FROM started WHERE started.machine_id = asking.machine_id) AS command,
      (SELECT coalesce(jsonb_agg(changed), '[]') FROM changed WHERE changed.machine_id = asking.machine_id) AS changed
    FROM asking
  LOOP RETURN NEXT; END LOOP;
  "3.machine_id" := NULL;
  "3.is_open" := NULL;
  "3.command" := NULL;
  "3.changed" := NULL;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.store_reports_all_5ad641a6eb6a(uuid, text, text[], bigint[], uuid, text, text[], jsonb, bigint, bigint, bigint, uuid, text, text[], jsonb, bigint, uuid, text, text[], bigint[], text[], bigint[])
RETURNS TABLE ("statement" integer, "0.id" bigint, "1.machine_id" bigint, "1.site_refusal" text, "1.refusal" text, "1.holds" jsonb, "1.is_outcome_known" boolean, "2.id" uuid, "2.machine_id" bigint, "2.machine_owner_id" bigint, "2.command" text, "2.sequence" bigint, "2.state" text, "2.result" text, "2.reason" text, "2.detail" text, "2.attempts" integer, "2.requested_by" bigint, "2.key_id" uuid, "2.requested_at" timestamp with time zone, "2.not_after" timestamp with time zone, "2.sent_at" timestamp with time zone, "2.finished_at" timestamp with time zone, "2.confirmed_at" timestamp with time zone, "2.version" integer, "2.changed_machine_id" bigint, "2.owner_id" bigint, "2.site_id" bigint, "2.revision" bigint, "3.machine_id" bigint, "3.is_open" boolean, "3.command" jsonb, "3.changed" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  statement := 0;
  FOR "0.id" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = ANY ($4::bigint[])
      AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    ORDER BY m.id FOR NO KEY UPDATE OF m
  LOOP RETURN NEXT; END LOOP;
  "0.id" := NULL;
  statement_start := clock_timestamp();
  statement := 1;
  FOR "1.machine_id", "1.site_refusal", "1.refusal", "1.holds", "1.is_outcome_known" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($8::jsonb) AS input (machine_id bigint, boot_id text, seq bigint, status text, mode text, remote_enabled boolean, cycles bigint, last_cycle_ms integer, alarm_code text, alarm_text text, interval_seconds integer, outcome_job_id uuid)),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($9::bigint, m.site_id)
    ), site AS (
      SELECT s.id, CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), -1) END AS level FROM caller, sites s
      WHERE s.id = $10::bigint AND s.deleted_at IS NULL
    )
    SELECT input.machine_id,
      CASE WHEN $11::bigint IS NOT NULL THEN CASE WHEN site.id IS NULL OR site.level < 0 THEN 'not_found' WHEN site.level = 0 THEN 'not_owner' WHEN site.level < 3 THEN 'role_too_low' END END AS site_refusal,
      CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 3 THEN 'role_too_low' END AS refusal, (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) AS holds,
      EXISTS (SELECT FROM jobs j WHERE j.id = input.outcome_job_id AND j.machine_id = machine.id) AS is_outcome_known
    FROM caller LEFT JOIN site ON true LEFT JOIN input ON true LEFT JOIN machine ON machine.id = input.machine_id
  LOOP RETURN NEXT; END LOOP;
  "1.machine_id" := NULL;
  "1.site_refusal" := NULL;
  "1.refusal" := NULL;
  "1.holds" := NULL;
  "1.is_outcome_known" := NULL;
  statement_start := clock_timestamp();
  statement := 2;
  FOR "2.id", "2.machine_id", "2.machine_owner_id", "2.command", "2.sequence", "2.state", "2.result", "2.reason", "2.detail", "2.attempts", "2.requested_by", "2.key_id", "2.requested_at", "2.not_after", "2.sent_at", "2.finished_at", "2.confirmed_at", "2.version", "2.changed_machine_id", "2.owner_id", "2.site_id", "2.revision" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $12::uuid AND k.secret_hash = $13 AND k.scopes && $14::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($15::jsonb) AS input (machine_id bigint, boot_id text, seq bigint, status text, mode text, remote_enabled boolean, cycles bigint, last_cycle_ms integer, alarm_code text, alarm_text text, interval_seconds integer, outcome_job_id uuid)),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($16::bigint, m.site_id)
    ),
    accepted AS (
      SELECT input.*, (r.status, r.mode, r.remote_enabled, r.alarm_code, r.alarm_text, r.interval_seconds) IS DISTINCT FROM (input.status, input.mode, input.remote_enabled, input.alarm_code, input.alarm_text, input.interval_seconds) AS is_changed,
        r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) IS NOT TRUE AS was_stale
      FROM input JOIN machine ON machine.id = input.machine_id AND machine.level >= 3
        LEFT JOIN machine_reports r ON r.machine_id = machine.id
      WHERE r.machine_id IS NULL OR (r.boot_id = input.boot_id AND r.seq < input.seq)
        OR (r.boot_id <> input.boot_id AND r.previous_boot_id IS DISTINCT FROM input.boot_id)
    ),
    stored AS (
      INSERT INTO machine_reports AS r (machine_id, at, boot_id, seq, status, mode, remote_enabled, alarm_code, alarm_text, interval_seconds, cycles, last_cycle_ms)
      SELECT machine_id, statement_start, boot_id, seq, status, mode, remote_enabled, alarm_code, alarm_text, interval_seconds, cycles, last_cycle_ms FROM accepted
      ON CONFLICT (machine_id) DO UPDATE SET at = excluded.at, boot_id = excluded.boot_id, seq = excluded.seq, status = excluded.status, mode = excluded.mode, remote_enabled = excluded.remote_enabled, alarm_code = excluded.alarm_code, alarm_text = excluded.alarm_text, interval_seconds = excluded.interval_seconds, cycles = excluded.cycles, last_cycle_ms = excluded.last_cycle_ms,
        previous_boot_id = CASE WHEN r.boot_id = excluded.boot_id THEN r.previous_boot_id ELSE r.boot_id END
      WHERE r.boot_id <> excluded.boot_id OR r.seq < excluded.seq
      RETURNING r.machine_id, r.status
    ),
    newest AS (
      SELECT DISTINCT ON (j.machine_id) j.*, stored.status AS reported
      FROM stored JOIN machine ON machine.id = stored.machine_id
        JOIN jobs j ON j.machine_id = machine.id AND j.requested_at > statement_start - interval '1 hour'
      WHERE j.sequence > machine.confirmed_sequence AND j.sent_at IS NOT NULL
      ORDER BY j.machine_id, j.sequence DESC
    ),
    affected AS (SELECT j.*, CASE WHEN j.state IN ('QUEUED', 'SENT', 'PENDING') AND CASE j.command WHEN 'START' THEN j.reported IN ('RUNNING') WHEN 'STOP' THEN j.reported IN ('POWEROFF', 'READY', 'PENDING', 'ERROR') END AND j.confirmed_at IS NULL THEN 'confirm' WHEN j.state IN ('QUEUED', 'SENT', 'PENDING') THEN 'await' WHEN j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND CASE j.command WHEN 'START' THEN j.reported IN ('RUNNING') WHEN 'STOP' THEN j.reported IN ('POWEROFF', 'READY', 'PENDING', 'ERROR') END THEN 'confirm' WHEN j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND j.finished_at > statement_start - interval '60 seconds' THEN 'await' WHEN j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL THEN 'note_unconfirmed' WHEN (j.result = 'INTERNALFAILED' AND j.reason <> 'unreachable') AND (CASE j.command WHEN 'START' THEN j.reported IN ('RUNNING') WHEN 'STOP' THEN j.reported IN ('POWEROFF', 'READY', 'PENDING', 'ERROR') END OR CASE j.command WHEN 'START' THEN j.confirmed_at IS NOT NULL WHEN 'STOP' THEN false END) THEN 'settle' WHEN (j.result = 'INTERNALFAILED' AND j.reason <> 'unreachable') AND j.finished_at > statement_start - interval '600 seconds' THEN 'await' END AS effect FROM newest j),
    changed AS (
      UPDATE jobs SET version = jobs.version + 1,
        confirmed_at = CASE WHEN effect = 'note_unconfirmed' THEN NULL ELSE coalesce(jobs.confirmed_at, statement_start) END,
        state = CASE WHEN effect = 'settle' THEN 'SUCCEEDED' ELSE jobs.state END,
        result = CASE WHEN effect = 'settle' THEN 'SUCCESS' ELSE jobs.result END,
        reason = CASE WHEN effect = 'settle' THEN NULL ELSE jobs.reason END,
        finished_at = CASE WHEN effect = 'settle' THEN statement_start ELSE jobs.finished_at END
      FROM affected WHERE jobs.id = affected.id AND effect IN ('confirm', 'settle', 'note_unconfirmed')
      RETURNING jobs.*, effect
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'machine',
        CASE WHEN effect = 'note_unconfirmed' THEN 'unconfirmed' ELSE 'confirmed' END
      FROM changed
    ),
    machines_of_stored AS (
      UPDATE machines m SET status = after.status, status_source = 'report',
        status_at = CASE WHEN m.status = after.status THEN m.status_at ELSE statement_start END,
        updated_at = CASE WHEN after.is_changed THEN statement_start ELSE m.updated_at END,
        revision = m.revision + CASE WHEN after.is_changed THEN 1 ELSE 0 END,
        confirmed_sequence = least(m.last_sequence, after.first_open - 1, after.first_awaited - 1)
      FROM (
        SELECT stored.machine_id, stored.status, awaited.first_awaited, accepted.was_stale,
          accepted.is_changed OR machine.status <> stored.status OR machine.status_source <> 'report' AS is_changed,
          (SELECT min(sequence) FROM jobs j WHERE j.machine_id = stored.machine_id AND j.state IN ('QUEUED', 'SENT', 'PENDING')) AS first_open
        FROM stored JOIN accepted ON accepted.machine_id = stored.machine_id
          JOIN machine ON machine.id = stored.machine_id
          LEFT JOIN LATERAL (
            SELECT sequence AS first_awaited FROM affected
            WHERE affected.machine_id = stored.machine_id AND effect = 'await'
          ) awaited ON true
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.owner_id, m.site_id, CASE WHEN after.is_changed OR after.was_stale THEN m.revision END AS revision
    )
    SELECT changed.id, changed.machine_id, changed.machine_owner_id, changed.command, changed.sequence, changed.state, changed.result, changed.reason, changed.detail, changed.attempts, changed.requested_by, changed.key_id, changed.requested_at, changed.not_after, changed.sent_at, changed.finished_at, changed.confirmed_at, changed.version, m.id AS changed_machine_id, m.owner_id, m.site_id, m.revision
    FROM machines_of_stored m LEFT JOIN changed ON changed.machine_id = m.id
    WHERE m.revision IS NOT NULL OR changed.id IS NOT NULL
  LOOP RETURN NEXT; END LOOP;
  "2.id" := NULL;
  "2.machine_id" := NULL;
  "2.machine_owner_id" := NULL;
  "2.command" := NULL;
  "2.sequence" := NULL;
  "2.state" := NULL;
  "2.result" := NULL;
  "2.reason" := NULL;
  "2.detail" := NULL;
  "2.attempts" := NULL;
  "2.requested_by" := NULL;
  "2.key_id" := NULL;
  "2.requested_at" := NULL;
  "2.not_after" := NULL;
  "2.sent_at" := NULL;
  "2.finished_at" := NULL;
  "2.confirmed_at" := NULL;
  "2.version" := NULL;
  "2.changed_machine_id" := NULL;
  "2.owner_id" := NULL;
  "2.site_id" := NULL;
  "2.revision" := NULL;
  statement_start := clock_timestamp();
  statement := 3;
  FOR "3.machine_id", "3.is_open", "3.command", "3.changed" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $17::uuid AND k.secret_hash = $18 AND k.scopes && $19::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    asking AS (SELECT * FROM unnest($20::bigint[], $21::text[], $22::bigint[])
      AS asking (machine_id, boot_id, seq)),
    due AS (
      SELECT j.*, CASE WHEN j.state IN ('PENDING') AND j.pending_since + interval '600 seconds' <= statement_start THEN 'time_out' WHEN j.state IN ('PENDING') THEN 'wait' WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL WHEN m.leased_until > statement_start AND NOT CASE j.command WHEN 'START' THEN false WHEN 'STOP' THEN true END THEN 'leased' WHEN j.attempts >= CASE j.command WHEN 'START' THEN 4 WHEN 'STOP' THEN NULL END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'fail_unreachable' END WHEN j.not_after <= statement_start THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'expire' END WHEN (m.deleted_at IS NOT NULL OR NOT CASE j.command WHEN 'START' THEN m.status IN ('READY') WHEN 'STOP' THEN true END) THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'reject' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'hold' END WHEN CASE j.command WHEN 'START' THEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'stale' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'remote_off' END WHEN CASE j.command WHEN 'START' THEN NOT (requester.is_active AND requester.is_key_valid AND CASE WHEN (requester.key_machine_id <> m.id
    OR requester.key_site_id IS NOT NULL AND requester.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN requester.is_staff OR m.owner_id = requester.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = requester.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'forbid' END WHEN false THEN 'fetch' WHEN j.next_attempt_at > statement_start THEN 'delay' WHEN true THEN 'send' END AS step FROM caller, 
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true JOIN asking ON asking.machine_id = m.id
      WHERE j.state IN ('QUEUED', 'SENT', 'PENDING') AND m.controller_url IS NULL
        AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3 AND EXISTS (SELECT FROM machine_reports r
          WHERE r.machine_id = m.id AND r.boot_id = asking.boot_id AND r.seq = asking.seq
            AND r.at >= now())
    ), ends (step, state, result, reason, is_machine_in_error) AS (VALUES ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false), ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false), ('stale', 'REJECTED', 'INVALIDCOMMAND', 'stale', false), ('remote_off', 'REJECTED', 'INVALIDCOMMAND', 'remote_disabled', false), ('hold', 'REJECTED', 'INVALIDCOMMAND', 'held', false), ('forbid', 'REJECTED', 'PERMISSIONDENIED', 'not_allowed', false), ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true), ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true), ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true)),
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = statement_start,
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'machine', reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = ended.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    started AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, may_have_executed = true,
        sent_at = coalesce(jobs.sent_at, statement_start), version = jobs.version + 1,
        next_attempt_at = statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts + 1, 7)]), due_at = greatest(jobs.not_after, statement_start + interval '20 seconds'),
        published_at = coalesce(jobs.published_at, CASE WHEN false THEN statement_start END)
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    started_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, statement_start, attempts, 'machine' FROM started
    ),
    leased AS (
      UPDATE machines SET leased_by = started.id || ':' || started.attempts,
        leased_until = statement_start + interval '20 seconds'
      FROM started WHERE machines.id = started.machine_id
      RETURNING machines.id, machines.site_id
    ),
    changed AS (
      SELECT started.id, started.machine_id, started.machine_owner_id, started.command, started.sequence, started.state, started.result, started.reason, started.detail, started.attempts, started.requested_by, started.key_id, started.requested_at, started.not_after, started.sent_at, started.finished_at, started.confirmed_at, started.version, leased.site_id, NULL::bigint AS revision
      FROM started JOIN leased ON leased.id = started.machine_id
      UNION ALL 
  SELECT ended.id, ended.machine_id, ended.machine_owner_id, ended.command, ended.sequence, ended.state, ended.result, ended.reason, ended.detail, ended.attempts, ended.requested_by, ended.key_id, ended.requested_at, ended.not_after, ended.sent_at, ended.finished_at, ended.confirmed_at, ended.version, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id
    )
    SELECT asking.machine_id, EXISTS (
        SELECT FROM jobs j WHERE j.machine_id = asking.machine_id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
      ) AS is_open, (SELECT to_jsonb(started) FROM started WHERE started.machine_id = asking.machine_id) AS command,
      (SELECT coalesce(jsonb_agg(changed), '[]') FROM changed WHERE changed.machine_id = asking.machine_id) AS changed
    FROM asking
  LOOP RETURN NEXT; END LOOP;
  "3.machine_id" := NULL;
  "3.is_open" := NULL;
  "3.command" := NULL;
  "3.changed" := NULL;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.check_reports_3c9dbb82a395(uuid, text, text[], bigint, text, bigint, text, text, boolean, bigint, integer, text, text, integer, uuid, bigint, bigint, bigint)
RETURNS TABLE ("machine_id" bigint, "site_refusal" text, "refusal" text, "holds" jsonb, "is_outcome_known" boolean) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())) AND a.is_active),
    input AS MATERIALIZED (SELECT $4::bigint AS machine_id, $5::text AS boot_id, $6::bigint AS seq, $7::text AS status, $8::text AS mode, $9::boolean AS remote_enabled, $10::bigint AS cycles, $11::integer AS last_cycle_ms, $12::text AS alarm_code, $13::text AS alarm_text, $14::integer AS interval_seconds, $15::uuid AS outcome_job_id),
    machine AS MATERIALIZED (
      SELECT m.*, CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce($16::bigint, m.site_id)
    ), site AS (
      SELECT s.id, CASE WHEN caller.key_machine_id IS NOT NULL OR caller.key_site_id <> s.id THEN -1
    WHEN caller.is_staff THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.site_id = s.id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_timestamp())), -1) END AS level FROM caller, sites s
      WHERE s.id = $17::bigint AND s.deleted_at IS NULL
    )
    SELECT input.machine_id,
      CASE WHEN $18::bigint IS NOT NULL THEN CASE WHEN site.id IS NULL OR site.level < 0 THEN 'not_found' WHEN site.level = 0 THEN 'not_owner' WHEN site.level < 3 THEN 'role_too_low' END END AS site_refusal,
      CASE WHEN machine.id IS NULL OR machine.level < 0 THEN 'not_found' WHEN machine.level = 0 THEN 'not_owner' WHEN machine.level < 3 THEN 'role_too_low' END AS refusal, (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override FROM holds h WHERE h.machine_id = machine.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) item) AS holds,
      EXISTS (SELECT FROM jobs j WHERE j.id = input.outcome_job_id AND j.machine_id = machine.id) AS is_outcome_known
    FROM caller LEFT JOIN site ON true LEFT JOIN input ON true LEFT JOIN machine ON machine.id = input.machine_id;
END $function$;
--> statement-breakpoint
CREATE FUNCTION statements.fetch_command_all_bb652fe35276(uuid, text, text[], bigint[], uuid, text, text[], bigint[], text[], bigint[])
RETURNS TABLE ("statement" integer, "0.id" bigint, "1.machine_id" bigint, "1.is_open" boolean, "1.command" jsonb, "1.changed" jsonb) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '8000ms', true);
  PERFORM set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) || set_config('IntervalStyle', 'postgres', true) || set_config('standard_conforming_strings', 'on', true) || set_config('jit', 'off', true) || set_config('statement_timeout', '8000ms', true) AS settings;
  statement_start := clock_timestamp();
  statement := 0;
  FOR "0.id" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.scopes && $3::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active)
    SELECT m.id FROM caller, machines m WHERE m.id = ANY ($4::bigint[])
      AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3
    ORDER BY m.id FOR NO KEY UPDATE OF m
  LOOP RETURN NEXT; END LOOP;
  "0.id" := NULL;
  statement_start := clock_timestamp();
  statement := 1;
  FOR "1.machine_id", "1.is_open", "1.command", "1.changed" IN WITH caller AS (
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      set_config('TimeZone', 'UTC', true) || set_config('DateStyle', 'ISO, MDY', true) AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = $5::uuid AND k.secret_hash = $6 AND k.scopes && $7::text[]
      AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AND a.is_active),
    asking AS (SELECT * FROM unnest($8::bigint[], $9::text[], $10::bigint[])
      AS asking (machine_id, boot_id, seq)),
    due AS (
      SELECT j.*, CASE WHEN j.state IN ('PENDING') AND j.pending_since + interval '600 seconds' <= statement_start THEN 'time_out' WHEN j.state IN ('PENDING') THEN 'wait' WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL WHEN m.leased_until > statement_start AND NOT CASE j.command WHEN 'START' THEN false WHEN 'STOP' THEN true END THEN 'leased' WHEN j.attempts >= CASE j.command WHEN 'START' THEN 4 WHEN 'STOP' THEN NULL END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'fail_unreachable' END WHEN j.not_after <= statement_start THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'expire' END WHEN (m.deleted_at IS NOT NULL OR NOT CASE j.command WHEN 'START' THEN m.status IN ('READY') WHEN 'STOP' THEN true END) THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'reject' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM holds h WHERE h.machine_id = m.id AND h.removed_at IS NULL AND h.overridden_at IS NULL) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'hold' END WHEN CASE j.command WHEN 'START' THEN (EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND NOT r.at > statement_start - make_interval(secs => 3 * r.interval_seconds))
    AND EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE (k.machine_id = m.id OR k.site_id = m.site_id)
      AND 'report' = ANY (k.scopes) AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)))) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'stale' END WHEN CASE j.command WHEN 'START' THEN EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = m.id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds) AND r.remote_enabled = false) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'remote_off' END WHEN CASE j.command WHEN 'START' THEN NOT (requester.is_active AND requester.is_key_valid AND CASE WHEN (requester.key_machine_id <> m.id
    OR requester.key_site_id IS NOT NULL AND requester.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN requester.is_staff OR m.owner_id = requester.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = requester.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 2) WHEN 'STOP' THEN false END THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' WHEN true THEN 'forbid' END WHEN false THEN 'fetch' WHEN j.next_attempt_at > statement_start THEN 'delay' WHEN true THEN 'send' END AS step FROM caller, 
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_start)) AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true JOIN asking ON asking.machine_id = m.id
      WHERE j.state IN ('QUEUED', 'SENT', 'PENDING') AND m.controller_url IS NULL
        AND CASE WHEN (caller.key_machine_id <> m.id
    OR caller.key_site_id IS NOT NULL AND caller.key_site_id IS DISTINCT FROM m.site_id) THEN -1
    WHEN caller.is_staff OR m.owner_id = caller.id THEN 3
    ELSE coalesce((SELECT max(array_position(ARRAY['viewer', 'operator', 'manager'], member.role)) FROM members member
    WHERE (member.machine_id = m.id OR member.site_id = m.site_id) AND member.account_id = caller.id AND (member.expires_at IS NULL OR member.expires_at > statement_start)), CASE WHEN m.site_id IS NULL THEN 0 ELSE -1 END) END >= 3 AND EXISTS (SELECT FROM machine_reports r
          WHERE r.machine_id = m.id AND r.boot_id = asking.boot_id AND r.seq = asking.seq
            AND true)
    ), ends (step, state, result, reason, is_machine_in_error) AS (VALUES ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false), ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false), ('stale', 'REJECTED', 'INVALIDCOMMAND', 'stale', false), ('remote_off', 'REJECTED', 'INVALIDCOMMAND', 'remote_disabled', false), ('hold', 'REJECTED', 'INVALIDCOMMAND', 'held', false), ('forbid', 'REJECTED', 'PERMISSIONDENIED', 'not_allowed', false), ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true), ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true), ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true)),
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = statement_start,
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, statement_start, nullif(attempts, 0), 'machine', reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        status = coalesce(after.status, m.status),
        status_source = CASE WHEN after.status IS NULL THEN m.status_source ELSE CASE WHEN after.status = after.fresh THEN 'report' ELSE 'command' END END,
        status_at = CASE WHEN after.status <> m.status THEN statement_start ELSE m.status_at END,
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE statement_start END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT (SELECT r.status FROM machine_reports r WHERE r.machine_id = ended.machine_id AND r.at > statement_start - make_interval(secs => 3 * r.interval_seconds)) AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    started AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, may_have_executed = true,
        sent_at = coalesce(jobs.sent_at, statement_start), version = jobs.version + 1,
        next_attempt_at = statement_start + make_interval(secs => (ARRAY[1, 2, 4, 8, 16, 30, 60])[least(jobs.attempts + 1, 7)]), due_at = greatest(jobs.not_after, statement_start + interval '20 seconds'),
        published_at = coalesce(jobs.published_at, CASE WHEN false THEN statement_start END)
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    started_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, statement_start, attempts, 'machine' FROM started
    ),
    leased AS (
      UPDATE machines SET leased_by = started.id || ':' || started.attempts,
        leased_until = statement_start + interval '20 seconds'
      FROM started WHERE machines.id = started.machine_id
      RETURNING machines.id, machines.site_id
    ),
    changed AS (
      SELECT started.id, started.machine_id, started.machine_owner_id, started.command, started.sequence, started.state, started.result, started.reason, started.detail, started.attempts, started.requested_by, started.key_id, started.requested_at, started.not_after, started.sent_at, started.finished_at, started.confirmed_at, started.version, leased.site_id, NULL::bigint AS revision
      FROM started JOIN leased ON leased.id = started.machine_id
      UNION ALL 
  SELECT ended.id, ended.machine_id, ended.machine_owner_id, ended.command, ended.sequence, ended.state, ended.result, ended.reason, ended.detail, ended.attempts, ended.requested_by, ended.key_id, ended.requested_at, ended.not_after, ended.sent_at, ended.finished_at, ended.confirmed_at, ended.version, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id
    )
    SELECT asking.machine_id, EXISTS (
        SELECT FROM jobs j WHERE j.machine_id = asking.machine_id AND j.state IN ('QUEUED', 'SENT', 'PENDING')
      ) AS is_open, (SELECT to_jsonb(started) FROM started WHERE started.machine_id = asking.machine_id) AS command,
      (SELECT coalesce(jsonb_agg(changed), '[]') FROM changed WHERE changed.machine_id = asking.machine_id) AS changed
    FROM asking
  LOOP RETURN NEXT; END LOOP;
  "1.machine_id" := NULL;
  "1.is_open" := NULL;
  "1.command" := NULL;
  "1.changed" := NULL;
END $function$;
