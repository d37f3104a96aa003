/** All listings by their paths; each area of them is loaded with its first page. */
import type { Resource } from './kinds'

const areas: Record<string, () => Promise<{ resources: Resource[] }>> = {
  '/ec2/instances': () => import('./instances'),
  '/ec2/images': () => import('./storage'),
  '/ec2/image-tasks': () => import('./storage'),
  '/ec2/volumes': () => import('./storage'),
  '/ec2/snapshots': () => import('./storage'),
  '/ec2/security-groups': () => import('./network'),
  '/ec2/addresses': () => import('./network'),
  '/ec2/key-pairs': () => import('./network'),
  '/ec2/network-interfaces': () => import('./network'),
  '/ec2/launch-templates': () => import('./templates'),
  '/ec2/instance-types': () => import('./types'),
  '/ec2/lifecycle-manager': () => import('./lifecycle'),
  '/s3/buckets': () => import('./buckets'),
}
const rest: Record<string, () => Promise<{ resources: Resource[] }>> = {
  vpc: () => import('./vpc'),
  iam: () => import('./account'),
  ssm: () => import('./account'),
  cloudtrail: () => import('./events'),
  cloudwatch: () => import('./alarms'),
}

export async function resourceAt(path: string): Promise<Resource> {
  const load = areas[path] ?? rest[path.split('/')[1]!]
  const found = (await load?.())?.resources.find(resource => resource.path === path)
  if (!found) throw new Error(`no listing ${path}`)
  return found
}
