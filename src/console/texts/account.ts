// Texts of signing in and of accounts.
import type { Pair } from '../texts.ts'

export const accountTexts = {
  sign_in_title: ['로그인', 'Sign in'],
  sign_in_lead: ['사출기 현황을 보고, 기동하고, 정지합니다.', 'See, start and stop your moulding machines.'],
  username: ['아이디', 'Username'],
  password: ['비밀번호', 'Password'],
  sign_in: ['로그인', 'Sign in'],
  signing_in: ['로그인하는 중…', 'Signing in…'],
  to_sign_up: ['계정 만들기', 'Create an account'],
  to_reset: ['재설정 코드가 있어요', 'I have a reset code'],
  to_sign_in: ['로그인으로', 'Back to sign-in'],
  sign_up_title: ['계정 만들기', 'Create an account'],
  sign_up: ['만들기', 'Create'],
  email: ['이메일', 'E-mail'],
  first_name: ['이름', 'First name'],
  last_name: ['성', 'Last name'],
  password_rule: ['8자 이상', 'At least 8 characters'],
  reset_title: ['비밀번호 재설정', 'Reset the password'],
  reset_lead: [
    '관리자에게 받은 재설정 코드를 입력하세요. 한 번만, 24시간 안에 쓸 수 있습니다.',
    'Enter the reset code from your administrator. It works once, within 24 hours.',
  ],
  reset_token: ['재설정 코드', 'Reset code'],
  new_password: ['새 비밀번호', 'New password'],
  reset: ['비밀번호 바꾸기', 'Set the password'],
  reset_done: ['비밀번호를 바꿨습니다. 새 비밀번호로 로그인하세요.', 'The password is set. Sign in with it.'],
  signed_out: ['로그아웃했습니다.', 'You are signed out.'],
  signed_out_elsewhere: [
    '다른 탭에서 로그아웃했습니다. 다시 로그인하세요.',
    'You signed out in another tab. Sign in again.',
  ],
  session_ended: [
    '세션이 끝났습니다. 다른 곳에서 로그아웃했거나 시간이 지났습니다. 다시 로그인하세요.',
    'Your session has ended: it expired, or was ended elsewhere. Sign in again.',
  ],
} as const satisfies Record<string, Pair>
