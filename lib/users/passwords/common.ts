let listed: Promise<ReadonlySet<string>> | undefined

/**
 * The passwords that others try first, some 49,000 in canonical form, from the word list of zxcvbn-ts. Loaded when first asked for, then kept:
 * about 5 MB.
 */
export function commonPasswords(): Promise<ReadonlySet<string>> {
  listed ??= load()
  return listed
}

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
}
