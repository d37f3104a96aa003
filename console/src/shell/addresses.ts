/** Where pages are. Every name may be a thing's, `create` too: what is no thing of a listing has an address that is not below the listing's. */

/** The form that makes one. */
export const formAddress = (list: string): string => `/create${list}`
/** The page of one thing. */
export const addressOf = (list: string, id: string): string => `${list}/${encodeURIComponent(id)}`

/** What a part of an address says; the part as it stands where it is no encoding. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
