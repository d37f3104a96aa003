/**
 * restJson1, of EBS direct, DLM and their age: the operation by method and path, members in the path, query, headers and
 * a JSON body.
 */
import { ApiError } from '#kit/error'
import { refuseJson } from '#wire/awsjson'
import { bindingsOf, openRouter, readBindings, writeHeaders, type Router } from '#wire/bindings'
import { openJson, parseJson } from '#wire/json'
import type { Protocol, WireService } from '#wire/protocol'

const json = openJson({ jsonName: true })
const contentType = 'application/json'
const routers = new WeakMap<WireService['operations'], Router>()

/** One router for a service's operations. */
export function routerOf({ operations }: WireService): Router {
  const router = routers.get(operations) ?? openRouter(operations.values())
  routers.set(operations, router)
  return router
}

const invalid = (name: string, value: string) =>
  new ApiError('ValidationException', `The value ${JSON.stringify(value)} of ${name} has not the form that is expected.`)

export const restJson: Protocol = {
  decode(service, { method, path, query: text, headers, body }) {
    const query = new URLSearchParams(text)
    const match = routerOf(service)({ method, path, query, headers })
    if (!match) throw new ApiError('UnknownOperationException', 'The requested operation is not recognized by the service.', 404)
    const { operation, labels } = match
    const shape = operation.input
    if (shape.kind === 'unit') return { operation, input: {} }
    const input = readBindings(shape, { labels, query, headers }, invalid)
    const { payload, body: members } = bindingsOf(shape)
    if (payload) {
      if (payload.target.kind === 'blob') input[payload.name] = new Uint8Array(body)
      else if (payload.target.kind === 'string') input[payload.name] = body.toString('utf8')
      else if (body.length > 0) input[payload.name] = json.read(payload.target, parseJson(body))
    } else if (members.length > 0) Object.assign(input, json.read(shape, parseJson(body), members))
    return { operation, input }
  },

  encode(_service, { operation, output }) {
    const shape = operation.output
    const status = operation.traits.http?.[2] ?? 200
    if (shape.kind === 'unit') return { status, contentType, body: '' }
    const given = output as Record<string, any>
    const headers = writeHeaders(shape, given)
    const { payload, body: members, status: own } = bindingsOf(shape)
    const common = { status: (own && given[own.name]) ?? status, headers }
    if (!payload) return { ...common, contentType, body: json.write(shape, given, members) }
    const value = given[payload.name]
    if (payload.target.kind === 'blob') return { ...common, contentType: headers['content-type'] ?? 'application/octet-stream', body: value ?? '' }
    if (payload.target.kind === 'string') return { ...common, contentType: headers['content-type'] ?? 'text/plain', body: value ?? '' }
    return { ...common, contentType, body: value === undefined ? '' : json.write(payload.target, value) }
  },

  fail(service, { error }) {
    const shape = service.errors.get(error.code)
    const fields = shape ? JSON.parse(json.write(shape, error.fields, bindingsOf(shape).body)) as object : {}
    const message = shape?.members.find(({ name }) => name.toLowerCase() === 'message')
    const name = message?.traits.jsonName ?? message?.name ?? 'message'
    return {
      status: shape?.traits.httpError ?? error.status, contentType, headers: { 'x-amzn-errortype': error.code },
      body: JSON.stringify({ ...fields, [name]: error.message }),
    }
  },

  refuse: refusal => refuseJson(refusal, 403),
  internal: () => new ApiError('InternalFailure', 'An internal error has occurred', 500),
}
