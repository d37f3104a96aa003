/**
 * The Query protocol of STS, IAM, load balancers and their age: wrapped lists, a `…Result` element, an `<ErrorResponse>`.
 *
 * Invariant: unknown parameters are ignored, as these services do; newer clients may send more than our schemas know.
 */
import { ApiError } from '#kit/error'
import type { Member } from '#kit/schema'
import { readCall } from '#wire/form'
import type { Protocol } from '#wire/protocol'
import { openQuery } from '#wire/query'
import { escapeXml, openXml } from '#wire/xml'

const contentType = 'text/xml'
const writeMembers = openXml({ millis: false })
const readMembers = openQuery({
  nameOf: ({ name, traits }: Member) => traits.xmlName ?? name,
  flat: false,
  invalid: ({ key, value, expected }) => new ApiError('MalformedInput', `Value (${value}) at ${key} is invalid. Expecting ${expected}.`),
})

const MISMATCH = 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and '
  + 'signing method. Consult the service documentation for details.'
const mismatch = (message: string) => new ApiError('SignatureDoesNotMatch', message, 403)

export const awsQuery: Protocol = {
  decode(service, request) {
    const { action, version, root } = readCall(request)
    if (!action) throw new ApiError('MissingAction', 'The request must contain the parameter Action')
    const operation = service.operations.get(action)
    if (!operation || version !== service.version) {
      throw new ApiError('InvalidAction', `Could not find operation ${action} for version ${version ?? 'NO_VERSION_SPECIFIED'}`)
    }
    return { operation, input: readMembers(operation.input, root) }
  },

  encode(service, { operation, output, requestId }) {
    const { name } = operation
    const result = operation.output.kind === 'unit' ? '' : `<${name}Result>${writeMembers(operation.output, output)}</${name}Result>`
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
    return { status: 200, contentType, body: `<${name}Response xmlns="${service.xmlns}">${result}${metadata}</${name}Response>` }
  },

  fail(service, { error, requestId }) {
    // Actions name errors by their shapes; on the wire some have an older code and a status of their own.
    const shape = service.errors.get(error.code)
    const [code, status] = shape?.traits.awsQueryError ?? [error.code, error.status]
    const type = status >= 500 ? 'Receiver' : 'Sender'
    const fields = shape ? writeMembers(shape, error.fields) : ''
    const detail = `<Type>${type}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>${fields}`
    return {
      status, contentType,
      body: `<ErrorResponse xmlns="${service.xmlns}"><Error>${detail}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    }
  },

  refuse({ reason, detail }) {
    switch (reason) {
      case 'missing': return new ApiError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403)
      case 'incomplete': return new ApiError('IncompleteSignature', detail ?? '', 400)
      case 'bad region': return mismatch('Credential should be scoped to a valid region. ')
      case 'expired': case 'early': case 'mismatch': case 'unsigned header': return mismatch(detail ?? MISMATCH)
      case 'expired token': return new ApiError('ExpiredToken', 'The security token included in the request is expired', 403)
      case 'unknown key': case 'bad token':
        return new ApiError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403)
    }
  },

  internal: () => new ApiError('InternalFailure', 'An internal error has occurred', 500),
}
