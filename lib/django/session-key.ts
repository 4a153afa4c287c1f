import { randomInt } from 'node:crypto'
import type { IdForm } from '../sessions/forms.ts'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const LENGTH = 32
const SHAPE = /^[0-9a-z]{32}$/

/** Django's session keys: 165 random bits in the cookie, as they stand, and in the store likewise. */
export const sessionKeys: IdForm = {
  newId: () => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  storeId: key => key,
  write: key => key,
  read: value => (SHAPE.test(value) ? value : null),
}
