/**
 * Names of devices as requests write them.
 *
 * EC2 User Guide, "Device names for volumes on Amazon EC2 instances": /dev/sd[a-z], with a number to 15, /dev/xvd[a-z] and one letter more; here
 * also the names that instances on the Nitro system give.
 */
import { invalidValue } from '#service/ec2/errors'

const FORM = /^(\/dev\/)?(sd[a-z]([1-9]|1[0-5])?|xvd[a-z]{1,2}|nvme([1-9]|1\d|2[0-7])n1)$/

/** Text seen on AWS in terraform-provider-aws issue 2622. */
export function checkDevice(name: string): void {
  if (!FORM.test(name)) throw invalidValue('device', name, `${name} is not a valid EBS device name.`)
}

/** A device as a guest names it, without /dev/. */
export const guestDevice = (name: string): string => name.replace(/^\/dev\//, '')

/** The same for two names of one device: the kernel says xvdf where the request said sdf. */
export const sameDevice = (name: string): string => guestDevice(name).replace(/^sd/, 'xvd')
