/** What the door told at sign-in of this Enclume and of who is signed in. */
import type { Facts } from '../api/session'

let known: Facts | undefined
export const setFacts = (facts: Facts): void => {
  known = facts
}
export function facts(): Facts {
  if (!known) throw new Error('nobody is signed in')
  return known
}
