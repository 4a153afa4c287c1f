/** A URL whose parts can be read; null where a text is none. */
export function urlOf(text: string): URL | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part)
    return url
  } catch {
    return null
  }
}

/** An address as it may be shown: without user, password and what drivers are told. */
export function labelOf({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`
}
