/** The one error that an action may throw at a caller. Anything else is a bug, is logged, and becomes InternalError. */
export class ApiError extends Error {
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** Further members of the error's shape, where its schema has them. */
  readonly fields: Record<string, unknown>
  constructor(code: string, message: string, status = 400, fields: Record<string, unknown> = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.fields = fields
  }
}

/** How the services of Query and JSON name a member that must be there. */
export const nullMember = (code: string) => (member: string): ApiError => new ApiError(code,
  `1 validation error detected: Value null at '${member[0]!.toLowerCase()}${member.slice(1)}' failed to satisfy constraint: Member must not be null`)
