/**
 * EC2's own Query protocol: flat lists, capitalised names, errors in a `<Response>`.
 *
 * Invariant: names that EC2 doesn't know are refused (`UnknownParameter`), as EC2 does, so that typing errors show.
 */
import { ApiError } from '#kit/error'
import type { Member } from '#kit/schema'
import { readCall } from '#wire/form'
import type { Protocol } from '#wire/protocol'
import { openQuery } from '#wire/query'
import { escapeXml, openXml } from '#wire/xml'

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
const contentType = 'text/xml;charset=UTF-8'
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)

const writeMembers = openXml({ millis: true })
const readMembers = openQuery({
  nameOf: ({ name, traits }: Member) => traits.ec2QueryName ?? capital(traits.xmlName ?? name),
  flat: true,
  unknown: key => new ApiError('UnknownParameter', `The parameter ${key} is not recognized`),
  invalid: ({ key, value, expected }) =>
    new ApiError('InvalidParameterValue', `Value (${value}) for parameter ${key} is invalid. Expecting ${expected}.`),
})

/** EC2 answers a wrong key and a wrong secret alike, and asks unsigned callers for the parameter of its oldest signatures. */
const authFailure = (message = 'AWS was not able to validate the provided access credentials') => new ApiError('AuthFailure', message, 401)

export const ec2Query: Protocol = {
  decode(service, request) {
    const { action, version, root } = readCall(request)
    if (!action) throw new ApiError('MissingAction', 'The request must contain the parameter Action')
    if (!version) throw new ApiError('MissingParameter', 'The request must contain the parameter Version')
    const operation = service.operations.get(action)
    if (!operation) throw new ApiError('InvalidAction', `The action ${action} is not valid for this web service.`)
    return { operation, input: readMembers(operation.input, root) }
  },

  encode(service, { operation, output, requestId }) {
    const members = writeMembers(operation.output, output)
    const root = `${operation.name}Response`
    return {
      status: 200, contentType,
      body: `${DECLARATION}<${root} xmlns="${service.xmlns}"><requestId>${requestId}</requestId>${members}</${root}>`,
    }
  },

  fail(_service, { error, requestId }) {
    const detail = `<Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error>`
    return {
      status: error.status, contentType,
      body: `${DECLARATION}<Response><Errors>${detail}</Errors><RequestID>${requestId}</RequestID></Response>`,
    }
  },

  refuse({ reason, detail }) {
    switch (reason) {
      case 'missing': return new ApiError('MissingParameter', 'The request must contain the parameter AWSAccessKeyId')
      case 'incomplete': return new ApiError('IncompleteSignature', detail ?? '')
      case 'expired': case 'early': case 'expired token': return new ApiError('RequestExpired', 'Request has expired.')
      case 'bad region': return authFailure('Credential should be scoped to a valid region.')
      case 'unknown key': case 'bad token': case 'mismatch': case 'unsigned header': return authFailure()
    }
  },

  internal: () => new ApiError('InternalError', 'An internal error has occurred', 500),
}
