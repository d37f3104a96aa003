/**
 * Notes which refusals a file of tests provokes, for the ledger docs/coverage.md (test/ledger.ts): where ENCLUME_TEST_PROVOKED names a folder, each
 * process writes there, as it ends, what its dispatchers refused.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dispatch } from '#kit/action'
import { ApiError } from '#kit/error'

const folder = process.env.ENCLUME_TEST_PROVOKED
/** Each a service, an operation and a code. */
const refusals = new Set<string>()

export type Provoked = { file: string; refusals: string[] }

if (folder !== undefined) {
  process.on('exit', () => {
    const provoked: Provoked = { file: process.argv[1]!, refusals: [...refusals] }
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(provoked))
  })
}

export const noting = (dispatch: Dispatch): Dispatch => async call => {
  try {
    return await dispatch(call)
  } catch (error) {
    if (error instanceof ApiError) refusals.add(`${call.service} ${call.operation} ${error.code}`)
    throw error
  }
}
