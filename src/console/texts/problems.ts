// What the API refuses, by its stable code: what it means for the person at the console, and what to do.
import type { Pair } from '../texts.ts'

export const problemTexts = {
  problem_body_too_large: ['입력이 너무 깁니다. 내용을 줄이세요.', 'The input is too long. Shorten it.'],
  problem_malformed_request: [
    '서버가 요청을 읽지 못했습니다. 화면을 새로 고친 뒤 다시 시도하세요.',
    'The server could not read the request. Reload the page and try again.',
  ],
  problem_validation_failed: [
    '입력이 올바르지 않습니다. 아래 항목을 고치세요.',
    'The input is not valid. Correct this:',
  ],
  problem_wrong_password: [
    '현재 비밀번호가 틀립니다. 다시 입력하세요.',
    'The current password is wrong. Enter it again.',
  ],
  problem_reset_token_invalid: [
    '재설정 코드를 쓸 수 없습니다. 이미 썼거나, 24시간이 지났거나, 빠진 글자가 있습니다. 운영자에게 새 코드를 받으세요.',
    'The reset code does not work: it was used, is older than 24 hours, or is not complete. Ask staff for a new one.',
  ],
  problem_token_invalid: ['로그인이 만료됐습니다. 다시 로그인하세요.', 'Your sign-in has expired. Sign in again.'],
  problem_session_ended: ['세션이 끝났습니다. 다시 로그인하세요.', 'Your session has ended. Sign in again.'],
  problem_refresh_reused: [
    '이 로그인이 다른 곳에서도 쓰여서 끝냈습니다. 다시 로그인하세요.',
    'This sign-in was also used elsewhere, so it was ended. Sign in again.',
  ],
  problem_bad_credentials: [
    '아이디나 비밀번호가 틀립니다. 확인하고 다시 입력하세요.',
    'The username or the password is wrong. Check both.',
  ],
  problem_sign_up_closed: [
    '여기에서는 직접 가입할 수 없습니다. 운영자에게 계정을 요청하세요.',
    'Nobody can sign up here. Ask staff for an account.',
  ],
  problem_staff_only: [
    '운영자만 할 수 있습니다. 운영자에게 요청하세요.',
    'Only staff may do this. Ask a member of staff.',
  ],
  problem_not_owner: [
    '이 사출기나 사업장에 권한이 없습니다. 관리 권한이 있는 사람에게 요청하세요.',
    'You have no role here. Ask a manager for one.',
  ],
  problem_role_too_low: [
    '권한이 부족합니다. 관리 권한이 있는 사람에게 더 높은 권한이나 처리를 요청하세요.',
    'Your role does not allow this. Ask a manager to do it, or to give you a higher role.',
  ],
  problem_hold_of_other: [
    '표시한 사람만 지울 수 있습니다. 그 사람에게 요청하세요. 연락이 안 되면 관리 권한이 있는 사람이 강제 해제합니다.',
    'Only the person who placed the hold can remove it. Ask that person. If that is not possible, a manager can override it.',
  ],
  problem_not_found: [
    '찾을 수 없습니다. 그 사이 삭제됐거나 볼 권한이 없습니다. 화면을 새로 고치세요.',
    'Not found: it was deleted meanwhile, or you may not see it. Reload the page.',
  ],
  problem_no_such_account: [
    '이 아이디의 계정이 없습니다. 아이디를 다시 확인하세요.',
    'No active account has this username. Check it with the person.',
  ],
  problem_no_such_site: [
    '사업장을 찾을 수 없습니다. 화면을 새로 고치고 다시 고르세요.',
    'The site was not found. Reload the page and choose again.',
  ],
  problem_username_taken: [
    '이미 있는 아이디입니다. 다른 아이디를 쓰세요. 대문자와 소문자는 구분하지 않습니다.',
    'The username is taken. Choose another one. Upper and lower case count as the same.',
  ],
  problem_email_taken: [
    '이미 쓰는 이메일입니다. 다른 이메일을 쓰거나 그 계정으로 로그인하세요.',
    'The e-mail address is taken. Use another one, or sign in to the account that has it.',
  ],
  problem_last_staff: [
    '마지막 운영자 계정입니다. 먼저 다른 계정을 운영자로 지정하세요.',
    'This is the last staff account. Make another account staff first.',
  ],
  problem_last_manager: [
    '사업장의 마지막 관리자입니다. 먼저 다른 사람에게 종료일 없는 관리 권한을 주거나, 사업장을 삭제하세요.',
    'This is the last manager of the site. First make somebody else a manager without an end date, or delete the site.',
  ],
  problem_role_is_fixed: [
    '운영자와 사출기 소유자는 언제나 관리 권한이 있습니다. 낮추거나 종료일을 정할 수 없습니다.',
    'Staff and the owner of a machine are always managers. That cannot be lowered, and has no end date.',
  ],
  problem_owns_machines: [
    '소유한 사출기가 있습니다. 먼저 그 사출기를 삭제하세요. 동료가 다시 등록할 수 있습니다.',
    'You own machines. Delete them first; a colleague can register them again.',
  ],
  problem_has_holds: [
    '작업 중 표시를 해 둔 사출기가 있습니다. 설비에서 나온 뒤 표시를 먼저 지우세요.',
    'You have holds in force. Leave the machines, and remove your holds first.',
  ],
  problem_site_not_empty: [
    '사업장에 사출기가 있습니다. 먼저 다른 사업장으로 옮기거나 삭제하세요.',
    'The site still has machines. Move them to another site or delete them first.',
  ],
  problem_job_open: [
    '진행 중인 명령이 있습니다. 끝난 뒤에 다시 시도하세요. 정지는 언제나 보낼 수 있습니다.',
    'A job is in progress. Try again when it has ended. You can send a STOP at any time.',
  ],
  problem_wrong_state: [
    '지금 상태에서는 할 수 없습니다. 이상 상태라면 현장을 확인하고, 정지를 보내거나 상태를 직접 입력하세요.',
    'The status of the machine does not allow this. If it is Error, look at the machine, then send a STOP or set the status by hand.',
  ],
  problem_no_controller: [
    '연결된 제어기가 없습니다. 제어기 주소를 입력하거나 설비 보고용 키를 만드세요.',
    'No controller is connected. Enter its address, or create a key with which the machine reports.',
  ],
  problem_stale: [
    '설비 보고가 끊겼습니다. 현장에서 설비와 통신을 확인하세요. 정지는 언제나 보낼 수 있습니다.',
    'The machine has stopped reporting. Look at the machine and its connection. You can send a STOP at any time.',
  ],
  problem_remote_disabled: [
    '설비가 원격 조작을 막아 두었습니다. 현장에서 위험이 없는지 본 뒤 설비에서 허용하세요.',
    'The machine accepts no remote commands. Enable them at the machine, where you can see whether somebody is in danger.',
  ],
  problem_machine_reports: [
    '설비가 상태를 직접 보고하고 있어 입력할 수 없습니다. 보고가 끊긴 뒤에 입력하세요.',
    'The machine reports its status itself. You can set it when its reports have stopped.',
  ],
  problem_held: [
    '설비에서 작업 중인 사람이 있습니다. 그 사람이 나와서 표시를 지울 때까지 기다리세요.',
    'Somebody is at the machine. Wait until that person has left it and removed the hold.',
  ],
  problem_start_in_flight: [
    '기동 명령이 이미 전송됐습니다. 표시되지 않았으니 설비에 들어가지 마세요. 정지를 보내고 끝난 뒤에 다시 표시하세요.',
    'A START was already sent, so no hold was placed. Stay out of the machine. Send a STOP, and place the hold when it has ended.',
  ],
  problem_machine_running: [
    '설비가 가동 중이거나 동작을 처리 중입니다. 정지를 보내고 끝난 뒤에 다시 시도하세요. 이미 멈춰 있다면 상태를 직접 입력하세요.',
    'The machine is running. Send a STOP and try again when it has ended. If it stands still already, set its status by hand.',
  ],
  problem_controller_taken: [
    '다른 사출기가 쓰는 제어기 주소입니다. 이 사출기의 제어기 주소를 입력하세요.',
    'Another machine uses this controller. Enter the address of the controller of this machine.',
  ],
  problem_controller_refused: [
    '제어기가 이 사출기를 확인하지 않았습니다. 제어기 주소와, 제어기에 설정된 사출기 번호를 확인하세요.',
    'The controller did not confirm this machine. Check its address, and the id of the machine in its settings.',
  ],
  problem_controller_unreachable: [
    '제어기가 응답하지 않습니다. 전원과 통신, 주소를 확인하고 다시 시도하세요.',
    'The controller does not answer. Check its power, network and address, and try again.',
  ],
  problem_quota_exceeded: [
    '만들 수 있는 수를 모두 썼습니다. 쓰지 않는 것을 지우거나 운영자에게 문의하세요.',
    'You have reached the maximum number. Delete what you no longer need, or ask staff.',
  ],
  problem_not_cancelable: [
    '이미 전송됐거나 끝난 요청은 취소할 수 없습니다. 기동을 막으려면 정지를 보내세요.',
    'It was sent already, or has ended, so it cannot be cancelled. To prevent a START, send a STOP.',
  ],
  problem_rate_limited: [
    '요청이 너무 많습니다. 잠시 기다렸다가 다시 시도하세요.',
    'Too many requests. Wait a moment, then try again.',
  ],
  problem_internal_error: [
    '서버에 오류가 났습니다. 반영됐는지 먼저 확인하고 다시 시도하세요. 계속되면 요청 번호를 운영자에게 알려 주세요.',
    'The server has an error. Check whether the request took effect before you try again. If it happens again, tell staff the request number.',
  ],
  problem_misconfigured: [
    '서버 설정이 잘못돼 모든 요청이 거부됩니다. 운영자에게 알려 주세요.',
    'The server is not configured correctly and refuses every request. Tell staff.',
  ],
  problem_database_unavailable: [
    '데이터베이스가 응답하지 않습니다. 반영됐는지 먼저 확인하고 잠시 후 다시 시도하세요.',
    'The database does not answer. Check whether the request took effect, then try again in a moment.',
  ],
} as const satisfies Record<string, Pair>
