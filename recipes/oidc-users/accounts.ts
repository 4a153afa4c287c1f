import type { Account } from './provider/provider.ts'

/** Who has an account at the identity provider of this recipe. The one subject is as providers make them, the other as they might. */
export const ACCOUNTS: readonly Account[] = [
  {
    subject: '7f3a9c2e',
    username: 'ada',
    password: 'engines of brass 3',
    name: 'Ada Reader',
    email: 'ada@example.org',
    emailVerified: true,
  },
  {
    subject: 'قارئة/☕ #2',
    username: 'نور',
    password: 'ألف ليلة وليلة',
    name: 'نور القارئة',
    email: 'noor@example.org',
    emailVerified: false,
  },
]
