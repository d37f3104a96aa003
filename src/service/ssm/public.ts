/**
 * Public parameters: the names under which AWS and Debian publish their newest AMIs, for the images that there are here.
 *
 * They lead to Enclume's own images, also those called Amazon Linux: the image's description says that it is Debian.
 */
import type { ImageSeen } from '#engine/port'

export type PublicParameter = { name: string; value: string; created: string }
/** The images of a Region, each with its id there. */
export type PublicImages = (region: string) => { id: string; seen: ImageSeen }[]

export const isPublic = (name: string): boolean => name.startsWith('/aws/service/')

const AMAZON_LINUX = [
  'al2023-ami-kernel-default-', 'al2023-ami-kernel-6.1-', 'al2023-ami-minimal-kernel-default-', 'al2023-ami-minimal-kernel-6.1-',
].map(name => `/aws/service/ami-amazon-linux-latest/${name}`)

/** AWS's names for one image: those of Amazon Linux for the one with its user, Debian's for Debian's. */
function namesOf({ name, architecture, user }: ImageSeen): string[] {
  const debian = /^debian-(\d+)$/.exec(name)?.[1]
  if (debian) return [`/aws/service/debian/release/${debian}/latest/${architecture === 'arm64' ? 'arm64' : 'amd64'}`]
  return /^debian-\d+-ec2$/.test(name) && user === 'ec2-user' ? AMAZON_LINUX.map(prefix => prefix + architecture) : []
}

export const publicParameters = (images: PublicImages, region: string): PublicParameter[] =>
  images(region).flatMap(({ id, seen }) => namesOf(seen).map(name => ({ name, value: id, created: seen.created })))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
