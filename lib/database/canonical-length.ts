/** How long a canonical name or address may be, in characters: canonical forms can be longer than what was typed. */
export const CANONICAL_LENGTH = 255
