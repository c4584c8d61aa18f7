"""What a flow of the plane learns: shapes, drawings, pictures, points, formulas."""
