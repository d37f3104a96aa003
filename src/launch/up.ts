/**
 * `enclume up`: from whatever there is to a server that answers.
 *
 * Invariant: every step looks first and does only what is missing, so a second `up`, or one after a crash, ends in the same state.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { homeAt, hostAddress, type Home } from '#base/home'
import type { Args } from '#launch/args'
import { installPackages } from '#launch/apt'
import { readBuild } from '#launch/build'
import { findConfig, homeDirOf, readChoices, settle, writeConfig, type Choices, type Config } from '#launch/config'
import { hasCredentials, readCredentials, writeProfile } from '#launch/credentials'
import type { Host } from '#launch/host'
import { withLock } from '#launch/lock'
import { checkAddress, outsideEndpoint, readOutside, writeTrust, type Outside } from '#launch/outside'
import { buildConsole, findConsole } from '#launch/console'
import { hasPassword, newPassword } from '#launch/password'
import { enginePackages } from '#launch/packages'
import { checkDisk, checkKernel, checkPort, defaultDiskGiB } from '#launch/preflight'
import { progressLog } from '#launch/progress'
import { endpoint, findHealth, findServer, startServer, stopServer } from '#launch/server'
import { claimSlot } from '#launch/slots'
import type { Ui } from '#launch/ui'

export function up(args: Args, ui: Ui, host: Host): Promise<number> {
  const dir = homeDirOf(args)
  const { incus: url, ...rest } = readChoices(args)
  const chosen = { ...rest, outside: readOutside(args) }
  return withLock(dir, {}, async () => {
    const before = findConfig(dir)
    if (!before) checkDisk(dir)
    const incus = url === undefined ? before?.incus : await host.findIncus(url)
    await installPackages(incus ? enginePackages.filter(name => !name.startsWith('incus-')) : enginePackages, ui)
    await ui.step('kernel', checkKernel)
    const config = await choose({ chosen, dir, before, incus })
    const home = homeAt({ dir, ...config })
    await startEngine({ home, config, ui, host })
    const built = findConsole()
    if (!built) await ui.step('console', () => buildConsole())
    const first = !hasCredentials(home)
    const password = hasPassword(home) ? undefined : await newPassword(home)
    // After an upgrade it is started anew too, and where the console was built anew: instances do not notice.
    if (!built || !findServer(home) || (await findHealth(home))?.build !== readBuild()) {
      await stopServer(home)
      await ui.step('server', async () => { await startServer(home) })
    }
    writeProfile(home)
    console.log(greeting(home, { first, password, outside: config.outside }))
    return 0
  })
}

type Chosen = { chosen: Omit<Choices, 'incus'>; dir: string; before: Config | undefined; incus: Home['incus'] }

/** Settles and remembers the choices. A running server that listens elsewhere than now chosen is stopped, to be started anew. */
async function choose({ chosen, dir, before, incus }: Chosen): Promise<Config> {
  if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o711 })
  const slot = await claimSlot({ dir, want: chosen.slot ?? before?.slot })
  const config = settle({ chosen, before, slot, incus, diskGiB: before?.diskGiB ?? defaultDiskGiB(dir) })
  const serving = before && findServer(homeAt({ dir, ...before })) ? before : undefined
  const own = serving ? [serving.port, serving.consolePort] : []
  if (!own.includes(config.port)) await checkPort(config.port, 'port')
  if (!own.includes(config.consolePort)) await checkPort(config.consolePort, 'console-port')
  const again = serving && serving.port === config.port && serving.outside?.address === config.outside?.address
  if (config.outside && !again) await checkAddress(config.outside, config.port)
  if (serving && JSON.stringify(config) !== JSON.stringify(serving)) await stopServer(homeAt({ dir, ...serving }))
  writeConfig(dir, config)
  return config
}

async function startEngine({ home, config, ui, host }: { home: Home; config: Config; ui: Ui; host: Host }): Promise<void> {
  await ui.step('engine (Incus)', say => host.startDaemon(home, { diskGiB: config.diskGiB }, progressLog(home, say)))
  for (const name of await host.imageNames()) await ui.step(`image ${name}`, say => host.buildImage(home, name, progressLog(home, say)))
  await ui.step('networks', say => host.networksUp(home, progressLog(home, say)))
}

/** `enclume …` for this home, as one would type it. */
const command = (home: Home, words: string): string => `./enclume ${words}${home.slot === 0 ? '' : ` --home ${home.dir}`}`

function newKeys(home: Home): string[] {
  const { account, accessKeyId, secretAccessKey } = readCredentials(home)
  return [`  account      ${account}, new`, `  access key   ${accessKeyId}`, `  secret key   ${secretAccessKey} (shown this once)`]
}

/** Where other machines reach the API, and what they must trust. */
function forOthers(home: Home, outside: Outside): string[] {
  const trust = writeTrust(home, outside, new Date())
  return [`  from others  ${outsideEndpoint(outside, home.port)}`,
    ...(trust ? [`  they trust   ${trust}, as AWS_CA_BUNDLE (no secret: copy it to them)`] : [])]
}

/** The account's keys are shown when they are new, and only then. */
const greeting = (home: Home, { first, password, outside }: { first: boolean; password?: string; outside?: Outside }): string => [
  '', 'Enclume is up.', '',
  `  endpoint     ${endpoint(home)}`,
  ...(outside ? forOthers(home, outside) : []),
  `  console      http://127.0.0.1:${home.consolePort}`,
  `  region       ${home.region}`,
  ...(first ? newKeys(home) : []),
  ...(password ? [`  password     ${password} (of the console's root user; shown this once)`] : []),
  `  this host    ${hostAddress(home)}, as instances see it: the address to allow for SSH`,
  `  credentials  ${home.dir}/root-credentials.json (root alone can read it)`,
  '', 'Next:',
  `  eval "$(${command(home, 'env')})"`,
  '  aws ec2 describe-images --owners self amazon --query "Images[].[ImageId,Name]" --output text', '',
].join('\n')
