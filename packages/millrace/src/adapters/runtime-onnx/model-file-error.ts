/** Why a model file cannot be loaded, as the end of the sentence "Cannot load model "<path>": …". */
export class ModelFileError extends Error {}
