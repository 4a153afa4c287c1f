/** A value of a JSON object, with the text that it came as. */
export interface Member {
  readonly text: string
  /** The value, where JavaScript can hold it exactly; else undefined: Python writes NaN, and integers of any size. */
  readonly value: unknown
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^"{}[\],:]+/gs
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/gs
const LONG_INTEGER = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g

/** The members of a JSON object as text, by name, the last of a name; null where it is no object. */
export function membersOf(json: string): Map<string, Member> | null {
  const members = new Map<string, Member>()
  const tokens = json.trim().match(TOKEN) ?? []
  if (tokens.join('') !== json.trim()) return null
  if (tokens[0] !== '{' || tokens.at(-1) !== '}') return null
  let depth = 0
  let name: string | null = null
  let text = ''
  const take = (): boolean => {
    if (name === null) return text.trim() === '' && members.size === 0
    const key = exactValue(name)
    if (typeof key !== 'string' || text.trim() === '') return false
    members.set(key, { text: text.trim(), value: exactValue(text) })
    name = null
    text = ''
    return true
  }
  for (const token of tokens.slice(1, -1)) {
    if (depth === 0 && token === ',') {
      if (name === null || !take()) return null
    } else if (depth === 0 && token === ':' && name === null) {
      name = text
      text = ''
    } else {
      if (token === '{' || token === '[') depth++
      if (token === '}' || token === ']') depth--
      if (depth < 0) return null
      text += token
    }
  }
  return depth === 0 && take() ? members : null
}

function exactValue(text: string): unknown {
  const integers = text.replace(STRING, '""').match(LONG_INTEGER) ?? []
  if (integers.some(integer => !Number.isSafeInteger(Number(integer)))) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
