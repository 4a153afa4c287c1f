export { hashPassword, needsRenewal, verifyPassword } from './users/passwords.ts'
