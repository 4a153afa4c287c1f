/** For whoever is there. @param looks how often they have looked at it in this session */
export function homePage(username: string, looks: number): string {
  return page(
    'Keys',
    `<p>Logged in as <bdi>${escaped(username)}</bdi>. Looks since then: ${looks}</p>\n<p><a href="/ledger">The ledger</a></p>`,
  )
}

/** For those who may read it. */
export function ledgerPage(): string {
  return page('The ledger', '<ul><li>Boiler room: handed to noor</li><li>Roof: in the cabinet</li></ul>')
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }</style>
<h1>${title}</h1>
${body}
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
