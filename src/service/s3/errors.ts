/** S3's errors (S3 API Reference, "Error responses"). */
import { ApiError } from '#kit/error'

export const noSuchBucket = (name: string): ApiError =>
  new ApiError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name })
export const noSuchKey = (key: string): ApiError => new ApiError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key })
export const noSuchVersion = (key: string, version: string): ApiError =>
  new ApiError('NoSuchVersion', 'The specified version does not exist.', 404, { Key: key, VersionId: version })
export const noSuchUpload = (id: string): ApiError => new ApiError('NoSuchUpload',
  'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.', 404, { UploadId: id })
export const invalidArgument = (name: string, value: unknown, message: string): ApiError =>
  new ApiError('InvalidArgument', message, 400, { ArgumentName: name, ArgumentValue: value ?? '' })
export const invalidRequest = (message: string): ApiError => new ApiError('InvalidRequest', message)
export const malformedXml = (): ApiError =>
  new ApiError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema')
export const preconditionFailed = (condition: string): ApiError =>
  new ApiError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, { Condition: condition })
export const diskFull = (): ApiError =>
  new ApiError('InsufficientStorage', 'The disk of this Enclume has not enough free space for the object.', 507)
export const notImplemented = (what: string): ApiError => new ApiError('UnsupportedOperation', `Enclume does not implement ${what}.`)

/** What a request asks for that is not done is refused by name, never ignored. */
export function refuse(operation: string, input: object, members: readonly string[]): void {
  const found = members.find(member => (input as Record<string, unknown>)[member] !== undefined)
  if (found !== undefined) throw notImplemented(`${found} of ${operation}`)
}
