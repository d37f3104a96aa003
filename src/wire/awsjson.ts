/**
 * AWS JSON 1.0 and 1.1, of SSM, CloudTrail, the tagging API and their age: the operation in X-Amz-Target, one JSON object
 * each way.
 *
 * Invariant: an error's `__type` is its shape's name, by which clients tell errors apart.
 */
import { ApiError } from '#kit/error'
import { openJson, parseJson } from '#wire/json'
import type { Protocol, WireService } from '#wire/protocol'
import type { Refusal } from '#wire/sigv4'

const json = openJson({ jsonName: false })

export function awsJson(version: '1.0' | '1.1'): Protocol {
  const contentType = `application/x-amz-json-${version}`
  return {
    decode(service, { headers, body }) {
      const target = String(headers['x-amz-target'] ?? '')
      const operation = service.operations.get(target.slice(target.lastIndexOf('.') + 1))
      if (!operation) throw new ApiError('UnknownOperationException', 'The requested operation is not supported in the called service.')
      return { operation, input: json.read(operation.input, parseJson(body)) }
    },

    encode: (_service, { operation, output }) => ({ status: 200, contentType, body: json.write(operation.output, output) }),

    fail(service, { error }) {
      const shape = service.errors.get(error.code)
      const detail = JSON.parse(shape ? json.write(shape, error.fields) : '{}') as object
      const body = JSON.stringify({ __type: error.code, ...detail, message: error.message })
      return { status: error.status, contentType, headers: queryError(service, error), body }
    },

    refuse: refusal => refuseJson(refusal, 400),
    internal: () => new ApiError('InternalFailure', 'An internal error has occurred', 500),
  }
}

/** What the error was called before, for clients of services that spoke Query (Smithy, "awsQueryCompatible trait"). */
function queryError({ json: was, errors }: WireService, { code, status }: ApiError): Record<string, string> | undefined {
  const old = errors.get(code)?.traits.awsQueryError?.[0] ?? code
  return was ? { 'x-amzn-query-error': `${old};${status >= 500 ? 'Receiver' : 'Sender'}` } : undefined
}

const MISMATCH = 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and '
  + 'signing method. Consult the service documentation for details.'

/** The JSON services' words for a refused signature; those with REST paths answer 403, the others `status`. */
export function refuseJson({ reason, detail }: Refusal, status: number): ApiError {
  switch (reason) {
    case 'missing': return new ApiError('MissingAuthenticationTokenException', 'Missing Authentication Token', status)
    case 'incomplete': return new ApiError('IncompleteSignatureException', detail ?? '', status)
    case 'bad region': return new ApiError('InvalidSignatureException', 'Credential should be scoped to a valid region.', status)
    case 'expired': case 'early': case 'mismatch': case 'unsigned header':
      return new ApiError('InvalidSignatureException', detail ?? MISMATCH, status)
    case 'expired token': return new ApiError('ExpiredTokenException', 'The security token included in the request is expired', status)
    case 'unknown key': case 'bad token':
      return new ApiError('UnrecognizedClientException', 'The security token included in the request is invalid.', status)
  }
}
