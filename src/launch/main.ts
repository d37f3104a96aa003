/**
 * The launcher's entry: reads the command line and calls the command.
 *
 * Invariant: what the reader can mend is printed as a sentence (exit code 1, or 2 when the command line was wrong); a bug keeps its stack.
 */
import { readArgs, type Args, type CommandName } from '#launch/args'
import { Failure } from '#launch/failure'
import { openUi } from '#launch/ui'

const host = async () => (await import('#launch/real-host')).host

/** Commands are loaded when called: `env` runs in every shell prompt of somebody. */
const run: Record<CommandName, (args: Args) => Promise<number>> = {
  up: async args => (await import('#launch/up')).up(args, openUi(), await host()),
  down: async args => (await import('#launch/down')).down(args, openUi(), await host()),
  status: async args => (await import('#launch/status')).status(args, await host()),
  env: async args => (await import('#launch/credentials')).env(args),
  password: async args => (await import('#launch/password')).password(args),
  logs: async args => (await import('#launch/logs')).logs(args),
  image: async args => (await import('#launch/image')).image(args, openUi(), await host()),
  backup: async args => (await import('#launch/backup')).backup(args, openUi(), await host()),
  restore: async args => (await import('#launch/backup')).restore(args, openUi(), await host()),
  reset: async args => (await import('#launch/reset')).reset(args, openUi(), await host()),
  test: async args => (await import('#launch/test')).test(args, openUi(), await host()),
  help: async args => (await import('#launch/help')).help(args),
  version: async () => { console.log((await import('#launch/help')).readVersion()); return 0 },
}

try {
  const args = readArgs(process.argv.slice(2))
  process.exitCode = await run[args.command](args)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`enclume: ${error.message}`)
  process.exitCode = error.exitCode
}
