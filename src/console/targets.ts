/**
 * What stands behind each kind of browser terminal, reached by the public APIs as the caller.
 *
 * Invariant: every way asks the API first with the caller's own identity: EC2 Instance Connect pushes a key that is made for this one
 * connection, by SendSSHPublicKey, and goes through the network as anybody's ssh does; Session Manager and the serial console need no open port.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Machines } from '#engine/port'
import { pageCaller, type ApiCall, type Dispatch } from '#console/credentials'
import type { Principal } from '#kit/caller'
import { ApiError } from '#kit/error'

export type Target = { kind: 'instance-connect' | 'session' | 'serial'; principal: Principal; instance: string; region: string; user: string }
export type Program = { file: string; args: string[]; env?: Record<string, string>; done?(): void }

/** What the user is told. */
export class Refused extends Error {}

export type TargetOptions = {
  dispatch: Dispatch
  /** Throws the denial where the caller may not. */
  permit(call: ApiCall): Promise<void>
  /** The principal of an instance's own role, if it has one. */
  roleOf(instance: string): Promise<Principal | undefined>
  machines: Pick<Machines, 'terminal'>
  /** Where keys of one connection lie. */
  runDir: string
}

type Instance = { InstanceId: string; PublicIpAddress?: string; State: { Name: string }; Placement: { AvailabilityZone: string } }

const USER = /^[a-z_][a-z0-9_.-]{0,31}$/

/**
 * What the agent of Session Manager does at its start: a user of its own that may use sudo (Systems Manager User Guide, "Turn off or turn on
 * ssm-user account administrative permissions"). Idempotent.
 */
const SSM_USER = `id ssm-user >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ssm-user
[ -e /etc/sudoers.d/ssm-agent-users ] || { umask 337; echo 'ssm-user ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/ssm-agent-users; }
exec su --login ssm-user`

export const targets = (options: TargetOptions) => async (target: Target): Promise<Program> => {
  try {
    const found = await running(options, target)
    if (target.kind === 'instance-connect') return await instanceConnect(options, target, found)
    return target.kind === 'session' ? await session(options, target) : await serial(options, target)
  } catch (error) {
    if (error instanceof ApiError) throw new Refused(`${error.code}: ${error.message}`, { cause: error })
    throw error
  }
}

const callerOf = ({ principal, region }: Target) => pageCaller(principal, region)

async function running({ dispatch }: TargetOptions, target: Target): Promise<Instance> {
  const input = { InstanceIds: [target.instance] }
  const answer = await dispatch({ service: 'ec2', operation: 'DescribeInstances', input, caller: callerOf(target) })
  const found = (answer as { Reservations: { Instances: Instance[] }[] }).Reservations[0]!.Instances[0]!
  if (found.State.Name !== 'running') throw new Refused(`IncorrectInstanceState: ${target.instance} is ${found.State.Name}, not running.`)
  return found
}

async function instanceConnect(options: TargetOptions, target: Target, instance: Instance): Promise<Program> {
  const { dispatch, runDir } = options
  if (!USER.test(target.user)) throw new Refused(`InvalidArgsException: ${JSON.stringify(target.user)} is no user name.`)
  if (!instance.PublicIpAddress) throw new Refused(`${target.instance} has no public IPv4 address to connect to.`)
  const dir = mkdtempSync(join(runDir, 'connect-'))
  const done = () => rmSync(dir, { recursive: true, force: true })
  try {
    const key = join(dir, 'key')
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ec2-instance-connect', '-f', key])
    await dispatch({
      service: 'ec2-instance-connect', operation: 'SendSSHPublicKey', caller: callerOf(target),
      input: { InstanceId: target.instance, InstanceOSUser: target.user, SSHPublicKey: readFileSync(`${key}.pub`, 'utf8').trim() },
    })
    const settings = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes',
      'ConnectTimeout=10', 'ServerAliveInterval=20']
    const args = ['-F', 'none', ...settings.flatMap(o => ['-o', o]), '-i', key, '-tt', `${target.user}@${instance.PublicIpAddress}`]
    return { file: 'ssh', args, done }
  } catch (error) {
    done()
    throw error
  }
}

/**
 * The caller may start a session, and the instance's own role lets its agent answer (Systems Manager User Guide, "Verify or add instance
 * permissions for Session Manager").
 */
async function session({ permit, roleOf, machines }: TargetOptions, target: Target): Promise<Program> {
  const { instance, region } = target
  await permit({ service: 'ssm', operation: 'StartSession', input: { Target: instance }, caller: callerOf(target) })
  const role = await roleOf(instance)
  if (!role) throw new Refused(`TargetNotConnected: ${instance} has no instance profile whose role lets it use Session Manager.`)
  try {
    await permit({ service: 'ssm', operation: 'UpdateInstanceInformation', input: { InstanceId: instance }, caller: pageCaller(role, region) })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const message = `TargetNotConnected: the role of ${instance} does not allow Session Manager (AmazonSSMManagedInstanceCore does).`
    throw new Refused(message, { cause: error })
  }
  return found(await machines.terminal(instance, { command: ['/bin/sh', '-c', SSM_USER] }))
}

async function serial({ permit, dispatch, machines }: TargetOptions, target: Target): Promise<Program> {
  const caller = callerOf(target)
  const access = await dispatch({ service: 'ec2', operation: 'GetSerialConsoleAccessStatus', input: {}, caller })
  if (!(access as { SerialConsoleAccessEnabled: boolean }).SerialConsoleAccessEnabled) {
    throw new Refused('SerialConsoleAccessDisabledException: The account has the serial console turned off. EnableSerialConsoleAccess turns it on.')
  }
  const input = { InstanceId: target.instance, SerialPort: 0, SSHPublicKey: '' }
  await permit({ service: 'ec2-instance-connect', operation: 'SendSerialConsoleSSHPublicKey', input, caller })
  return found(await machines.terminal(target.instance, 'console'))
}

function found(program: Program | undefined): Program {
  if (!program) throw new Refused('The fake engine runs no guests, so there is nothing to connect to.')
  return program
}
