/** IAM and the parameter store. */
export const resources = {
  'users.empty': ['No users', 'Aucun utilisateur'],
  'users.emptyHint': [
    'An IAM user is a person or program with rights of its own in this account.',
    'Un utilisateur IAM est une personne ou un programme avec ses propres droits dans ce compte.',
  ],
  'users.create': ['Create user', 'Créer un utilisateur'],
  'users.delete': ['Delete user', "Supprimer l'utilisateur"],
  'users.attach': ['Attach policy', 'Attacher une politique'],
  'users.password': ['Enable console access', "Activer l'accès à la console"],
  'users.key': ['Create access key', "Créer une clé d'accès"],
  'users.keyMade': [
    "Access key {id}; its secret was downloaded and can't be shown again.",
    "Clé d'accès {id} ; son secret a été téléchargé et ne peut plus être affiché.",
  ],
  'roles.empty': ['No roles', 'Aucun rôle'],
  'roles.emptyHint': [
    'A role is taken on by whom its trust policy names, such as an instance.',
    "Un rôle est endossé par ceux que nomme sa politique d'approbation, une instance par exemple.",
  ],
  'roles.create': ['Create role', 'Créer un rôle'],
  'roles.trust': ['Trust policy (JSON)', "Politique d'approbation (JSON)"],
  'roles.delete': ['Delete role', 'Supprimer le rôle'],
  'policies.empty': ['No policies', 'Aucune politique'],
  'policies.emptyHint': [
    'A policy says which actions are allowed on which resources.',
    'Une politique indique quelles actions sont autorisées sur quelles ressources.',
  ],
  'policies.create': ['Create policy', 'Créer une politique'],
  'policies.document': ['Policy document (JSON)', 'Document de politique (JSON)'],
  'policies.delete': ['Delete policy', 'Supprimer la politique'],
  'parameters.empty': ['No parameters', 'Aucun paramètre'],
  'parameters.emptyHint': [
    'A parameter is a value under a name, for instances and programs to read.',
    'Un paramètre est une valeur sous un nom, lue par les instances et les programmes.',
  ],
  'parameters.create': ['Create parameter', 'Créer un paramètre'],
  'parameters.delete': ['Delete parameter', 'Supprimer le paramètre'],
} as const
