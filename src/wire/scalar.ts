/** Numbers and times as texts, alike in every protocol. */
import type { Shape } from '#kit/schema'

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(\.\d{1,9})? GMT$/
/** The names that JSON and headers have for what is no number in them. */
const ODD = new Set(['NaN', 'Infinity', '-Infinity'])

/** A number's text, the three odd ones among them; undefined where it is none. */
export function parseNumber(text: string): number | undefined {
  if (ODD.has(text)) return Number(text)
  const number = NUMBER.test(text) ? Number(text) : NaN
  return Number.isFinite(number) ? number : undefined
}

/** A time in any of AWS's three forms; undefined where it is none. */
export function readTime(text: string): Date | undefined {
  const time = NUMBER.test(text) ? Math.round(Number(text) * 1000) : DATE_TIME.test(text) || HTTP_DATE.test(text) ? Date.parse(text) : NaN
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** Seconds since 1970, an HTTP date, or a date-time, which has milliseconds only where there are some or `millis` asks for them. */
export function writeTime(value: Date, format: Shape['timestamp'], millis = false): string {
  if (format === 7) return String(value.getTime() / 1000)
  if (format === 6) return value.toUTCString()
  const text = value.toISOString()
  return !millis && text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text
}
