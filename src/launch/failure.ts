/** An error that the reader can do something about: printed as its message alone, without a stack. Anything else is a bug. */
export class Failure extends Error {
  /** What the process exits with: 1 it did not work, 2 it was asked wrongly. */
  readonly exitCode: number
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** The command line itself was wrong. */
export const misuse = (message: string): Failure => new Failure(`${message}\nSee: enclume help`, 2)
