/**
 * The history of calls: who asked what, from where, and what came of it.
 *
 * Invariants: no secret and no body is in it (what the schemas call sensitive, and what is named like a secret, is left
 * out before anything is kept; answers are never kept, but for the ids in them); it has bounds, and objects' traffic
 * cannot push out what was done to the account. A call is in the file when it is answered, and survives the process.
 */
import { randomUUID } from 'node:crypto'
import type { SQLInputValue } from 'node:sqlite'
import { openDatabase } from '#base/database'
import type { Clock } from '#base/clock'
import type { Dispatch } from '#kit/action'
import type { Caller } from '#kit/caller'
import { ApiError } from '#kit/error'
import type { Operation, Shape } from '#kit/schema'

/** How many calls are kept, and for how long (CloudTrail User Guide: event history, 90 days). */
const MOST = { management: 100_000, data: 20_000 }
const KEPT_MS = 90 * 86_400_000
const LONGEST_TEXT = 1024
const MOST_ITEMS = 50
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'

const SCHEMA = `create table if not exists call (seq integer primary key autoincrement, id text, time integer, account text, region text, name text,
    source text, user text, key text, read_only text, resources text, data integer, detail text) strict;
  create index if not exists call_by_place on call (account, region, time);
  create index if not exists call_by_id on call (id);`

export type Call = {
  id: string; time: number; name: string; source: string; user: string; key: string; read_only: string; resources: string; detail: string; seq: number
}
export type Question = {
  account: string; region: string; before: number; from: number; to: number; limit: number
  where?: { column: 'id' | 'name' | 'source' | 'user' | 'key' | 'read_only' | 'resources'; value: string }
}
export type History = ReturnType<typeof openHistory>

const READS = /^(Get|List|Describe|Head|Lookup|Simulate|Decode|Generate|Search)/
const SECRET = /password|secret|token|userdata|privatekey|authenticationcode|credential|plaintext/i
const DATA = /^(Get|Head|Put|Delete|Copy|Restore)Object|^UploadPart|MultipartUpload|^ListParts$|^SelectObject/
const ID = /^[a-z]+-([0-9a-f]{8}|[0-9a-f]{17})$/

/** A request's members without secrets, bodies and endless texts. */
function shown(shape: Shape, value: unknown): unknown {
  if (shape.traits.sensitive) return HIDDEN
  if (shape.kind === 'blob' || shape.kind === 'document') return undefined
  if (shape.kind === 'list') return (value as unknown[]).slice(0, MOST_ITEMS).map(item => shown(shape.value!.target, item))
  if (shape.kind === 'map') {
    return Object.fromEntries(Object.entries(value as object).slice(0, MOST_ITEMS).map(([key, item]) => [key, shown(shape.value!.target, item)]))
  }
  if (shape.kind === 'struct' || shape.kind === 'union') {
    const members = shape.members.filter(({ name }) =>
      (value as Record<string, unknown>)[name] !== undefined && (value as Record<string, unknown>)[name] !== null)
    return Object.fromEntries(members.map(({ name, target, traits }) => [
      name[0]!.toLowerCase() + name.slice(1),
      traits.sensitive || SECRET.test(name) ? HIDDEN : shown(target, (value as Record<string, unknown>)[name]),
    ]))
  }
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : typeof value === 'bigint' ? String(value) : value
}

/** What a call is about: names and ids in the request, and ids in the answer. */
function resourcesOf(input: object, output: object | undefined): string[] {
  const found = new Set<string>()
  for (const [name, value] of Object.entries(input)) {
    if (!/(Id|Ids|Name|Names|Arn|Bucket|Resources)$/.test(name) || SECRET.test(name)) continue
    for (const item of [value].flat()) if (typeof item === 'string' && item !== '' && item.length <= 256) found.add(item)
  }
  const walk = (value: unknown, depth: number): void => {
    if (found.size >= MOST_ITEMS || depth > 4 || typeof value !== 'object' || value === null || Symbol.asyncIterator in value) return
    for (const inner of Object.values(value)) {
      if (typeof inner === 'string' && ID.test(inner)) found.add(inner)
      else walk(inner, depth + 1)
    }
  }
  walk(output, 0)
  return [...found].slice(0, MOST_ITEMS)
}

function identityOf({ principal }: Caller) {
  const { account, arn, userId, root, role, user, session, accessKeyId } = principal
  const type = account === '' ? 'AWSAccount' : root ? 'Root' : role ? 'AssumedRole' : user ? 'IAMUser' : 'FederatedUser'
  return {
    type, principalId: userId, arn, accountId: account, accessKeyId,
    ...(session && { sessionContext: { attributes: { creationDate: session.issued, mfaAuthenticated: String(session.mfa !== undefined) } } }),
  }
}
const userOf = ({ principal: { arn, root } }: Caller): string => (root ? 'root' : arn.slice(arn.lastIndexOf('/') + 1))

/** `lost` hears why a call could not be noted. */
export function openHistory(file: string, clock: Clock, lost: (error: unknown) => void) {
  const db = openDatabase(file, { steps: [SCHEMA], sync: 'normal' })
  const insert = db.prepare(`insert into call (id, time, account, region, name, source, user, key, read_only, resources, data, detail)
    values (?,?,?,?,?,?,?,?,?,?,?,?)`)

  type Done = { service: string; operation: Operation; input: object; caller: Caller; output?: object; error?: unknown }
  function note({ service, operation: { name, input: shape }, input, caller, output, error }: Done): void {
    const [id, now] = [randomUUID(), clock()]
    const source = `${service}.amazonaws.com`
    const readOnly = READS.test(name)
    const data = service === 's3' && DATA.test(name)
    const resources = resourcesOf(input, output)
    const failed = error instanceof ApiError ? { errorCode: error.code, errorMessage: error.message.slice(0, LONGEST_TEXT) }
      : error === undefined ? {} : { errorCode: 'InternalFailure' }
    const detail = {
      eventVersion: '1.11', userIdentity: identityOf(caller), eventTime: now.toISOString(), eventSource: source, eventName: name,
        awsRegion: caller.region,
      sourceIPAddress: caller.sourceIp, ...(caller.via?.endpoint && { vpcEndpointId: caller.via.endpoint.id }),
      userAgent: caller.userAgent.slice(0, LONGEST_TEXT), ...failed,
      requestParameters: shape.kind === 'unit' ? null : shown(shape, input), responseElements: null, requestID: caller.requestId, eventID: id,
      readOnly, eventType: 'AwsApiCall', managementEvent: !data, recipientAccountId: caller.principal.account,
        eventCategory: data ? 'Data' : 'Management',
    }
    insert.run(id, now.getTime(), caller.principal.account, caller.region, name, source, userOf(caller), caller.principal.accessKeyId ?? '',
      String(readOnly),
      `\n${resources.join('\n')}\n`, data ? 1 : 0, JSON.stringify(detail))
  }

  return {
    /** The same dispatch, of which every call is noted once it has ended. */
    recording: (dispatch: Dispatch, operationOf: (service: string, name: string) => Operation | undefined): Dispatch => async call => {
      const operation = operationOf(call.service, call.operation)
      // What can't be noted was done all the same, and is answered so.
      const done = (end: { output?: object; error?: unknown }) => {
        try {
          if (operation) note({ ...call, ...end, operation })
        } catch (error) {
          lost(error)
        }
      }
      let output: object
      try {
        output = await dispatch(call)
      } catch (error) {
        // DryRun's answer is an error only in name, and CloudTrail notes it as one too.
        done({ error })
        throw error
      }
      done({ output })
      return output
    },
    /** Calls of an account in a Region, the newest first. */
    find({ account, region, before, from, to, limit, where }: Question): Call[] {
      const about = where === undefined ? ''
        : where.column === 'resources' ? 'and instr(resources, char(10) || ? || char(10)) > 0' : `and ${where.column} = ?`
      const values: SQLInputValue[] = [account, region, before, from, to, ...(where ? [where.value] : []), limit]
      return db.prepare(`select * from call where account = ? and region = ? and seq < ? and time >= ? and time <= ? ${about}
        order by seq desc limit ?`).all(...values) as unknown as Call[]
    },
    /** Forgets what is too old or too much. */
    trim(): void {
      db.prepare('delete from call where time < ?').run(clock().getTime() - KEPT_MS)
      for (const [data, most] of [[0, MOST.management], [1, MOST.data]] as const) {
        db.prepare('delete from call where data = ? and seq <= (select seq from call where data = ? order by seq desc limit 1 offset ?)').run(data,
          data, most)
      }
    },
    close: () => db.close(),
  }
}
