"""Pictures as files and arrays: reading, cropping, writing, recipes in them. Without torch."""
