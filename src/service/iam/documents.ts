/** Policy documents of requests: how long they may be, and AWS's errors for what is none. */
import { ApiError } from '#kit/error'
import { Malformed, parsePolicy, type Kind } from '#kit/policy/document'
import { exceeded } from '#service/iam/common'

/** API Reference: printable ASCII to the end of Latin-1, and tab, line feed, carriage return. */
const CHARACTERS = /^[\t\n\r\x20-\xff]*$/

/** White space does not count (IAM User Guide, "IAM and AWS STS quotas"). */
export const sizeOf = (text: string): number => text.replace(/\s/g, '').length

export function checkDocument(text: string, { kind, quota, most }: { kind: Kind; quota: string; most: number }): string {
  if (!CHARACTERS.test(text)) throw malformed('The policy document contains characters that are not allowed.')
  if (sizeOf(text) > most) throw exceeded(quota, most)
  try {
    parsePolicy(text, { kind, name: '' })
  } catch (error) {
    if (error instanceof Malformed) throw malformed(error.message)
    throw error
  }
  return text
}

const malformed = (words: string) => new ApiError('MalformedPolicyDocumentException', words)

/** API Reference: "The policy document is URL-encoded compliant with RFC 3986". */
export const encodeDocument = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
