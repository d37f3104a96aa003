/**
 * EC2's filters: `Name` and up to 200 `Values`, joined by or; several filters joined by and. Values are case-sensitive and
 * may hold `*` (any text) and `?` (one character), with a backslash before a literal one
 * (EC2 User Guide, "Filter using the AWS CLI": wildcards).
 */
import { ApiError } from '#kit/error'
import type { FilterPath } from '#kit/resource'
import type { Row } from '#store/store'

export type Filter = { Name?: string; Values?: string[] }
export const MAX_FILTER_VALUES = 200

/** Every value at a dotted path, descending through lists. */
export function valuesAt(value: unknown, path: string): unknown[] {
  let found: unknown[] = [value]
  for (const key of path.split('.')) {
    found = found.flat().map(v => (v as Record<string, unknown> | null | undefined)?.[key]).filter(v => v !== undefined && v !== null)
  }
  return found.flat()
}

/** A pattern with EC2's wildcards as a test. */
export function wildcard(pattern: string): (text: string) => boolean {
  if (!/[*?\\]/.test(pattern)) return text => text === pattern
  const source = pattern.replace(/\\([*?\\])|[*?]|[.+^${}()|[\]\\/]/g, (found, escaped: string | undefined) =>
    escaped !== undefined ? `\\${escaped}` : found === '*' ? '[^]*' : found === '?' ? '[^]' : `\\${found}`)
  const compiled = new RegExp(`^${source}$`)
  return text => compiled.test(text)
}

const text = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value))

/** Whether a filter is about a row's tags alone. */
export const readsTags = ({ Name: name = '' }: Filter): boolean => name.startsWith('tag:') || name === 'tag-key'

/** A test of one row and its view; checks every filter's name and form first. */
export function matcher<View extends object, R extends Pick<Row, 'tags'>>(
  paths: Record<string, FilterPath<View, R>>, filters: readonly Filter[] = [],
): (view: View, row: R) => boolean {
  const tests = filters.map(({ Name: name = '', Values: values = [] }) => {
    if (name === '') throw new ApiError('MissingParameter', 'The request must contain the parameter Filter.Name')
    if (values.length > MAX_FILTER_VALUES) {
      throw new ApiError('FilterLimitExceeded', `The maximum number of filter values specified on a single call is ${MAX_FILTER_VALUES}`)
    }
    const path = Object.hasOwn(paths, name) ? paths[name] : undefined
    const read = name.startsWith('tag:') ? (_: View, row: R) => (Object.hasOwn(row.tags, name.slice(4)) ? [row.tags[name.slice(4)]] : [])
      : name === 'tag-key' ? (_: View, row: R) => Object.keys(row.tags)
      : typeof path === 'string' ? (view: View) => valuesAt(view, path)
      : path
    if (!read) throw new ApiError('InvalidParameterValue', `The filter '${name}' is invalid`)
    const patterns = values.map(wildcard)
    return (view: View, row: R) => read(view, row).some(value => patterns.some(match => match(text(value))))
  })
  return (view, row) => tests.every(test => test(view, row))
}
