/**
 * Errors that actions of several resources raise, in EC2's words (EC2 API Reference, "Error codes").
 * A resource's own errors stand beside the resource.
 */
import { ApiError } from '#kit/error'

/** A parameter that must be there and is not; `name` as the request writes it. */
export const missingParameter = (name: string): ApiError =>
  new ApiError('MissingParameter', `The request must contain the parameter ${name}`)

/** A value that a parameter may not have, and optionally what it may. */
export const invalidValue = (name: string, value: unknown, expected = ''): ApiError =>
  new ApiError('InvalidParameterValue', `Value (${value}) for parameter ${name} is invalid.${expected && ` ${expected}`}`)

/** Two parameters that exclude each other, or one that lacks its companion. */
export const invalidCombination = (message: string): ApiError => new ApiError('InvalidParameterCombination', message)

/** An action that the resource's state does not allow. */
export const incorrectState = (message: string): ApiError => new ApiError('IncorrectState', message)

/** Requests that come faster than EC2 lets them ("Error codes", server errors; the SDKs wait and try again). */
export const requestLimitExceeded = (): ApiError => new ApiError('RequestLimitExceeded', 'Request limit exceeded.', 503)

/** A parameter or value that Enclume knows of and does not do: refused by name, never ignored. */
export const unsupported = (what: string): ApiError => new ApiError('UnsupportedOperation', `Enclume does not implement ${what}.`)

/** The same for the members of a request that ask for more than Enclume does; switches that are off ask for nothing. */
export function refuseMembers(operation: string, input: object, members: readonly string[]): void {
  const asked = (value: unknown): boolean => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
  const found = members.find(member => asked((input as Record<string, unknown>)[member]))
  if (found !== undefined) throw unsupported(`${found} of ${operation}`)
}

/** What others still need can't be deleted; `what` as AWS's message names the kind (terraform-aws-vpc#1081, cloud-nuke#345, cloud-nuke#753). */
export const hasDependencies = (what: string, id: string): ApiError =>
  new ApiError('DependencyViolation', `The ${what} '${id}' has dependencies and cannot be deleted.`)
